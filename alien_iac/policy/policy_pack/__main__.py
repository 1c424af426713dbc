"""The pack, as Pulumi's CLI starts it: `pulumi up --policy-pack` with this folder."""

from alien_iac.policy.pack import start

start()
