"""The directory: people in the customer's own database, documents in their own storage, a search index beside them.

The same program runs on every platform; what differs from customer to customer is in `Pulumi.<customer>.yaml`.
"""

import pulumi

import alien_iac as alien

files = alien.Storage("files")
jobs = alien.Queue("jobs", max_receives=5)
seen = alien.Kv("seen")
database = alien.Secret("database", provided_by="customer")

index = alien.Container(
    "index", source="./index", port=7700, commands=True, volumes=[alien.Volume("/index_data", size="1Gi")]
)
worker = alien.Function(
    "worker",
    source="./worker",
    memory="512Mi",
    timeout="1m",
    commands=True,
    link=[files, seen, database, index],
    triggers=[jobs.on_message(), files.on_created(), alien.schedule("* * * * *")],
)
api = alien.Container(
    "api",
    source="./api",
    port=8080,
    public=True,
    cpu=0.5,
    memory="1Gi",
    scale=alien.Scale(min=1, max=4, cpu=70),
    link=[index, jobs.sender(), seen.reader()],
)

pulumi.export("url", api.url)
