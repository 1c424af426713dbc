"""A Pulumi project to be reviewed, in a folder of the test's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from alien_iac import projects
from alien_iac.models.platform import Platform
from alien_iac.review import answers, deployments, run
from alien_iac.review.model import Review

FULL = """
import pulumi
import alien_iac as alien

files, sessions, jobs = alien.Storage("files"), alien.Kv("sessions"), alien.Queue("jobs", max_receives=5)
crm = alien.Secret("crm", provided_by="customer")
api = alien.Container("api", source="./api", port=8080, public=True, link=[jobs.sender()])
worker = alien.Function(
    "worker", source="./worker", link=[files, sessions.reader(), crm], triggers=[jobs.on_message(), files.on_created()],
    env={"TOKEN": pulumi.Output.secret("planted-in-the-program")},
)
pulumi.export("url", api.url)
"""
TWO = """
import alien_iac as alien

files = alien.Storage("files")
worker = alien.Function("worker", source="./worker", link=[files.reader()])
"""


@dataclass(frozen=True)
class Reviewed:
    """A project, and what a review of it says."""

    folder: Path

    @classmethod
    def below(cls, folder: Path, program: str) -> "Reviewed":
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "shop", "runtime": "python"}))
        for source in ("api", "worker"):
            (folder / source).mkdir(parents=True)
            (folder / source / "main.py").write_text("# first\n")
        return cls(folder).with_program(program)

    def with_program(self, program: str) -> "Reviewed":
        (self.folder / "__main__.py").write_text(program)
        return self

    def configured(self, name: str, config: Mapping[str, object]) -> None:
        (self.folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": dict(config)}))

    def review(self, platform: str = "local", stack: str | None = None) -> Review:
        project = projects.find(self.folder)
        return run.review(deployments.subject(project, Platform(platform), stack), answers.load(project.folder))
