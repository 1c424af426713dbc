"""What the engine said while it ran: its log of events, of which a review reads the errors."""

import json
from pathlib import Path

from alien_iac import steps
from alien_iac.steps import Step


def failures(log: Path) -> tuple[str, ...]:
    """What went wrong, each thing once, with the resource that it happened to."""
    journal = steps.Journal(steps.quiet)
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else ():
        said = json.loads(line).get("diagnosticEvent")
        if said and not said.get("ephemeral"):
            text, urn = said["message"].strip(), said.get("urn") or ""
            kind = urn.split("::")[2].rpartition("$")[2] if urn else ""
            journal.add(Step(kind="said", urn=urn, type=kind, text=text, severity=said["severity"]))
    return journal.failures()
