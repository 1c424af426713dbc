"""The stack programs whose resources are held in golden files: defaults, every argument, every trigger, every verb."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

import alien_iac as alien

IMAGE = "docker.io/getmeili/meilisearch@sha256:" + "0" * 64
Case = Callable[[], Any]


def every_function_argument() -> None:
    alien.Function(
        "worker",
        source="./worker",
        memory="1Gi",
        timeout="10m",
        concurrency=3,
        architecture="arm64",
        env={"PLAIN": "a", "LATER": pulumi.Output.from_input("b")},
        triggers=[alien.schedule("0 3 * * 1", timezone="Europe/Paris")],
        commands=True,
        public=True,
        domain="worker",
        network="customer",
        frozen=True,
    )


def every_container_argument() -> None:
    alien.Container(
        "index",
        source="./api",
        command=["python", "-m", "index"],
        port=7700,
        protocol="http",
        cpu=2.0,
        memory="4Gi",
        scale=alien.Scale(min=1, max=1, cpu=60),
        volumes=[alien.Volume("/data", size="20Gi"), alien.Volume("/shared/files", size="1Gi", shared=True)],
        health="/up",
        architecture="x86_64",
        env={"PLAIN": "a"},
        commands=True,
        public=True,
        domain="index",
        network="customer",
        frozen=True,
    )


def public_disk() -> None:
    volumes = [alien.Volume("/data", size="20Gi")]
    alien.Container("index", source="./api", port=7700, volumes=volumes, public=True, domain="index", env={"A": "b"})


def every_trigger() -> None:
    files, jobs = alien.Storage("files"), alien.Queue("jobs")
    alien.Function(
        "worker",
        source="./worker",
        link=[files.reader()],
        triggers=[jobs.on_message(), files.on_created(), alien.schedule("0 3 * * 1")],
    )


def every_verb() -> None:
    files, kv, jobs = alien.Storage("files"), alien.Kv("kv"), alien.Queue("jobs")
    crm = alien.Secret("crm")
    helper = alien.Function("helper", source="./worker")
    index = alien.Container("index", source="./api", port=7700)
    db = alien.Container("db", source="./api", port=5432, protocol="tcp")
    alien.Function("reads", source="./worker", link=[files.reader(), kv.reader(), jobs.sender(), crm, helper, index])
    alien.Container("writes", source="./api", link=[files.writer(), kv.writer(), jobs.consumer(), crm, db])


def full_app() -> None:
    files, sessions, jobs = alien.Storage("files"), alien.Kv("sessions"), alien.Queue("jobs", max_receives=5)
    crm = alien.Secret("crm", provided_by="customer")
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/meili_data", size="20Gi")])
    scale = alien.Scale(min=1, max=10, cpu=70)
    api = alien.Container(
        "api", source="./api", port=8080, public=True, scale=scale, link=[index, jobs.sender()], commands=True
    )
    worker = alien.Function(
        "worker",
        source="./worker",
        commands=True,
        link=[files, sessions.reader(), crm, index],
        triggers=[jobs.on_message(), alien.schedule("0 3 * * 1"), files.on_created()],
    )
    index.link(worker)
    pulumi.export("url", api.url)


PUSHED: Mapping[str, str | None] = {
    "alien:agentUrl": None,
    "alien:controlPlane": "https://control.example",
    "alien:deploymentId": "dep_0123",
}
"""The config of a deployment without an agent, whose Functions ask for their commands."""
CONFIG: Mapping[str, Mapping[str, str | None]] = {"function/push": PUSHED, "function/push-image": PUSHED}
"""What a case has in its config beside, or instead of, what all have."""

CASES: Mapping[str, Case] = {
    "storage/default": lambda: alien.Storage("files"),
    "storage/arguments": lambda: alien.Storage(
        "files", versioned=False, expire_after="30d", public_read=True, frozen=True
    ),
    "kv/default": lambda: alien.Kv("sessions"),
    "queue/default": lambda: alien.Queue("jobs"),
    "queue/arguments": lambda: alien.Queue("jobs", max_receives=20, retention="7d", frozen=True),
    "secret/default": lambda: alien.Secret("crm"),
    "secret/vendor": lambda: alien.Secret("crm", provided_by="vendor"),
    "secret/generated": lambda: alien.Secret("crm", provided_by="generated"),
    "function/default": lambda: alien.Function("worker", source="./worker"),
    "function/arguments": every_function_argument,
    "function/public": lambda: alien.Function("worker", source="./worker", public=True),
    "function/triggers": every_trigger,
    "function/push": lambda: alien.Function("worker", source="./worker", commands=True),
    "function/push-image": lambda: alien.Function("worker", image=IMAGE, commands=True),
    "function/image": lambda: alien.Function("worker", image=IMAGE),
    "container/default": lambda: alien.Container("api", source="./api"),
    "container/arguments": every_container_argument,
    "container/disk": public_disk,
    "container/tcp": lambda: alien.Container("db", source="./api", port=5432, protocol="tcp"),
    "container/image": lambda: alien.Container("index", image=IMAGE, port=7700, volumes=[alien.Volume("/meili_data")]),
    "links/verbs": every_verb,
    "app/full": full_app,
}
