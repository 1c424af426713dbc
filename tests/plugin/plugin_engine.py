"""An engine as small as can be: it starts the real plugin and makes Pulumi's calls, so that tests say what they mean.

Answers are messages of the protocol, which have no types here.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

PLUGIN = Path(sys.executable).with_name("pulumi-resource-alien")
URN = "urn:pulumi:test::project::%s::it"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def secret(value: object) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message)
    return found


@dataclass(frozen=True)
class Engine:
    """`stub` for what has no method here."""

    stub: Any
    process: "subprocess.Popen[str]"

    @staticmethod
    @contextmanager
    def started(*arguments: str) -> Iterator["Engine"]:
        with subprocess.Popen(
            [str(PLUGIN), *(arguments or ("127.0.0.1:1",))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process:
            assert process.stdout
            port = process.stdout.readline().strip()
            try:
                with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    yield Engine(provider_pb2_grpc.ResourceProviderStub(channel), process)
            finally:
                process.terminate()

    def configure(self, root: Path) -> "Engine":
        self.stub.Configure(
            provider_pb2.ConfigureRequest(
                args=struct({"localDir": str(root)}), acceptSecrets=True, acceptResources=True
            )
        )
        return self

    def failures(self, token: str, inputs: Mapping[str, Any]) -> dict[str, str]:
        answer = self.stub.Check(provider_pb2.CheckRequest(urn=URN % token, news=struct(inputs)))
        return {one.property: one.reason for one in answer.failures}

    def diff(self, token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id="it", urn=URN % token, olds=struct(old), old_inputs=struct(old), news=struct(new)
            )
        )

    def create(self, token: str, inputs: Mapping[str, Any], *, preview: bool = False) -> tuple[str, dict[str, Any]]:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=URN % token, properties=struct(inputs), preview=preview)
        )
        return answer.id, plain(answer.properties)

    def read(self, token: str, identity: str, inputs: Mapping[str, Any] | None = None) -> Any:
        return self.stub.Read(
            provider_pb2.ReadRequest(
                id=identity, urn=URN % token, inputs=struct(inputs or {}), properties=struct(inputs or {})
            )
        )

    def update(
        self, token: str, old: Mapping[str, Any], new: Mapping[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id="it", urn=URN % token, olds=struct(old), old_inputs=struct(old), news=struct(new), preview=preview
            )
        )
        return plain(answer.properties)

    def delete(self, token: str, inputs: Mapping[str, Any]) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(id="it", urn=URN % token, properties=struct(inputs), old_inputs=struct(inputs))
        )

    def cancel(self) -> None:
        self.stub.Cancel(empty_pb2.Empty())


def half_made(error: grpc.RpcError) -> Any:
    """What the error says is there nevertheless."""
    for key, raw in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            found = provider_pb2.ErrorResourceInitFailed()
            assert status_pb2.Status.FromString(raw).details[0].Unpack(found)
            return found
    raise AssertionError(error)
