"""Runs a stack program under the embedded engine as if it were for the first time, against providers without a cloud.

State is in memory, nothing is packaged, and the program's process gets an environment without credentials.
"""

import json
import os
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from alien_iac import programs, steps
from alien_iac.engine import update, urns
from alien_iac.engine.journal import NoJournal
from alien_iac.engine.model import Request, Resource, Result, Snapshot
from alien_iac.errors import UpdateFailed
from alien_iac.programs import Program
from alien_iac.protocol import review as agreed
from alien_iac.protocol.outputs import KEY
from alien_iac.review import events, judging, leaving, model, permissions, synthetic
from alien_iac.review.answers import Answers
from alien_iac.review.deployments import Subject
from alien_iac.review.offline import OfflineProvider
from alien_iac.review.shown import Shown

_PARALLEL = 16
_EVENTS = "events.jsonl"


def review(subject: Subject, answers: Answers) -> model.Review:
    """What the program would do to an empty account.

    Findings of the checks are part of the answer, and with an error among them there are no resources. Raises
    UpdateFailed where the program itself fails, or asks for what the review does not know.
    """
    with tempfile.TemporaryDirectory(prefix="alien-review-") as name:
        folder = Path(name).resolve()
        result = _dry_create(subject, answers, folder)
        failures = events.failures(folder / _EVENTS)
        refusal = folder / agreed.FINDINGS
        found = json.loads(refusal.read_text(encoding="utf-8")) if refusal.is_file() else None
    shown = Shown({str(folder): "", str(subject.project.folder): "."})
    resources = [r for r in result.snapshot.resources if not r.delete]
    root = next((r for r in resources if r.type == urns.ROOT), None)
    told: dict[str, Any] | None = shown.value(root.outputs.get(agreed.KEY)) if root else None
    if not result.succeeded and found is None:
        reasons = "\n".join(f"  {line}" for line in failures) or "  the engine gave no reason"
        raise UpdateFailed(f"the stack program cannot be reviewed for {subject.platform}:\n{reasons}")
    made = sorted((_resource(r, shown) for r in resources if r.type != urns.ROOT), key=lambda r: r.urn)
    said = model.Review.model_validate(
        {
            "platform": subject.platform.value,
            "resources": made if found is None else (),
            **({"findings": shown.value(found)} if found is not None else told or {}),
            "leaves": leaving.find(subject),
            "deployPermissions": permissions.needed(subject, {r.type for r in made}),
        }
    )
    return said.model_copy(update={"findings": (*said.findings, *judging.findings(said.resources, subject))})


def _dry_create(subject: Subject, answers: Answers, folder: Path) -> Result:
    outputs = synthetic.outputs(subject.platform, subject.config)
    provider = OfflineProvider(outputs, permissions.types(subject.platform), answers)
    environment = programs.scrubbed(os.environ, {agreed.FOLDER: str(folder)})
    program = Program(folder=subject.project.main, environment=environment)
    with programs.serve(program, steps.quiet) as address:
        asked = replace(request(subject, address), event_log=str(folder / _EVENTS))
        return update.run(asked, steps.quiet, threading.Event(), lambda _: provider)


def request(subject: Subject, address: str) -> Request:
    """The update that a review asks the engine for: everything anew, at the program that serves at `address`."""
    return Request(
        kind="update",
        organization="organization",
        project=subject.project.name,
        stack=subject.stack,
        work_dir=subject.project.folder,
        main=subject.project.main,
        snapshot=Snapshot(),
        journal=NoJournal(),
        config=subject.config,
        secret_keys=subject.secret_keys,
        client=address,
        parallel=_PARALLEL,
    )


def _resource(resource: Resource, shown: Shown) -> model.Resource:
    parent = "" if urns.type_of(resource.parent or f"::::{urns.ROOT}::") == urns.ROOT else resource.parent
    return model.Resource(
        urn=resource.urn,
        type=resource.type,
        name=urns.name_of(resource.urn),
        parent=parent,
        inputs=shown.value({k: v for k, v in resource.inputs.items() if k not in {"__internal", KEY}}),
        protect=resource.protect,
        retain=resource.retain_on_delete,
    )
