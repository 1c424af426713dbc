"""The agent's version, as it tells it to the control plane and compares it with a release's `min_agent`."""

from importlib.metadata import version

VERSION = version("alien-iac")
