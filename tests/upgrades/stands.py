"""A release's state as it was written, and what the code of today would do to it: no cloud, no engine but our own."""

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from review.review_project import Reviewed
from upgrades.creation_only import replacing

from alien_iac import programs, projects, steps
from alien_iac.engine import checkpoint, dialect, update
from alien_iac.engine.model import Kind, Properties, Resource, Result, Snapshot
from alien_iac.engine.providers import Diff, Live
from alien_iac.engine.secrets import Plain
from alien_iac.models.platform import Platform
from alien_iac.protocol import review as agreed
from alien_iac.review import deployments, permissions, run, synthetic
from alien_iac.review.answers import Answers
from alien_iac.review.offline import OfflineProvider

PROGRAM = """
import alien_iac as alien

files, sessions, jobs = alien.Storage("files"), alien.Kv("sessions"), alien.Queue("jobs", max_receives=5)
crm, token = alien.Secret("crm", provided_by="customer"), alien.Secret("token", provided_by="generated")
index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/data", size="20Gi")])
api = alien.Container(
    "api", source="./api", port=8080, public=True, scale=alien.Scale(min=1, max=10, cpu=70),
    link=[index, jobs.sender()], commands=True,
)
worker = alien.Function(
    "worker", source="./worker", commands=True, link=[files, sessions.reader(), crm, token, index],
    triggers=[jobs.on_message(), alien.schedule("0 3 * * 1"), files.on_created()],
)
front = alien.Function("front", source="./worker", public=True, link=[worker])
index.link(worker)
"""
"""Every kind, with whatever holds data."""
LOG = "events.jsonl"


@dataclass(frozen=True)
class Upgrading(OfflineProvider):
    """Says what changes, and what of it replaces: a resource's identity, and what is settled when it is made."""

    def diff(self, old: Resource, new: Properties, ignore: Sequence[str]) -> Diff:
        found = sorted(k for k in {*old.inputs, *new} - set(ignore) if old.inputs.get(k) != new.get(k))
        return Diff(bool(found), tuple(found), tuple(replacing(old.type, old.inputs, new)))

    def update(self, old: Resource, new: Resource, *, preview: bool) -> Live:
        return Live(old.id, self.create(new, preview=preview).outputs)


def made(platform: Platform, folder: Path) -> str:
    """The state that this code writes for the program, as the file that is kept."""
    result = _run(platform, folder, Snapshot(), kind="update")
    assert result.succeeded
    resources = [checkpoint.encode(each, Plain()) for each in result.snapshot.resources]
    return dialect.dumps({"resources": resources}).replace(str(folder), "/project") + "\n"


def previewed(platform: Platform, folder: Path, state: str) -> Result:
    """What this code would do to a state."""
    told = json.loads(state.replace("/project", str(folder)))
    return _run(platform, folder, checkpoint.snapshot_of(told, Plain), kind="preview")


def _run(platform: Platform, folder: Path, snapshot: Snapshot, *, kind: Kind) -> Result:
    project = projects.find(Reviewed.below(folder, PROGRAM).folder)
    subject = deployments.subject(project, platform, None)
    provider = Upgrading(synthetic.outputs(platform, subject.config), permissions.types(platform), Answers())
    scratch = folder / "scratch"
    scratch.mkdir()
    environment = programs.scrubbed(os.environ, {agreed.FOLDER: str(scratch)})
    with programs.serve(programs.Program(folder=project.main, environment=environment), steps.quiet) as address:
        asked = replace(run.request(subject, address), kind=kind, snapshot=snapshot, event_log=str(scratch / LOG))
        return update.run(asked, steps.quiet, threading.Event(), lambda _: provider)
