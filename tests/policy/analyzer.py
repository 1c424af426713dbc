"""What the CLI asks of a policy pack, and what a pack answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from alien_iac.policy.model import Resource

MANDATORY = analyzer_pb2.MANDATORY
BOUNDARY = "arn:aws:iam::123456789012:policy/vendors"


@dataclass(frozen=True)
class Said:
    """One violation."""

    rule: str
    mandatory: bool
    message: str


@dataclass(frozen=True)
class Analyzer:
    """A pack that runs."""

    stub: Any

    @classmethod
    def over(cls, channel: grpc.Channel) -> "Analyzer":
        return cls(analyzer_pb2_grpc.AnalyzerStub(channel))

    def info(self) -> Any:
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def shown(self, resource: Resource) -> list[Said]:
        """What it says of a resource before it is made."""
        options = analyzer_pb2.AnalyzerResourceOptions(parent=resource.parent)
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.type,
            urn=resource.urn,
            name=resource.name,
            properties=_struct(resource.inputs),
            options=options,
        )
        return _said(self.stub.Analyze(request))

    def stack(self, resources: Iterable[Resource]) -> list[Said]:
        """What it says of a whole stack, which it is told by what providers answered."""
        told = [
            analyzer_pb2.AnalyzerResource(
                type=each.type, urn=each.urn, name=each.name, parent=each.parent, properties=_struct({"id": each.name})
            )
            for each in resources
        ]
        return _said(self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=told)))


def _struct(inputs: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(inputs), struct_pb2.Struct())


def _said(response: Any) -> list[Said]:
    return [Said(d.policyName, d.enforcementLevel == MANDATORY, d.message) for d in response.diagnostics]
