"""A full app: a web front, a queue, a worker, a storage and a key-value store. All data stays in the deployment."""

import pulumi

import alien_iac as alien

reports = alien.Storage("reports", expire_after="30d")
state = alien.Kv("state")
orders = alien.Queue("orders", max_receives=5)

alien.Function(
    "worker",
    source="./worker",
    commands=True,
    link=[reports, state],
    triggers=[orders.on_message(), alien.schedule("0 3 * * 1", timezone="Europe/Berlin")],
)
web = alien.Container("web", source="./web", port=8080, public=True, link=[orders.sender(), state.reader()])

pulumi.export("url", web.url)
