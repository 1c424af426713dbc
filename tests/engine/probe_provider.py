"""A real provider with one type, `probe:index:Thing`, whose world is the folder $PROBE_WORLD.

`calls.jsonl` there has every call that changed or read something; `things/ID.json` has what exists, and a test may
change or delete it. Inputs: `value` (updated in place), `kind` (a change replaces: the new one first), `slot` (a change
replaces: the old one is deleted first), `token` (comes out as a secret), `wait` (seconds), and `fail`: "create",
"update", "delete", or "half" (made, but its initialisation fails).
"""

# gRPC names the methods and their arguments:
# ruff: noqa: N802, ARG002

import json
import os
import signal
import time
import uuid
from concurrent import futures
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Json = Any
Context: TypeAlias = grpc.ServicerContext
World = Path(os.environ["PROBE_WORLD"])


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    def opened(value: Json) -> Json:
        if isinstance(value, dict):
            return (
                opened(value["value"]) if value.get(SIGNATURE) == SECRET else {k: opened(v) for k, v in value.items()}
            )
        return [opened(v) for v in value] if isinstance(value, list) else value

    return dict(opened(json_format.MessageToDict(message)))


def struct(value: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(value)
    return made


def outputs(inputs: dict[str, Any], serial: int | str) -> struct_pb2.Struct:
    token = {"token": {SIGNATURE: SECRET, "value": inputs["token"]}} if "token" in inputs and serial != UNKNOWN else {}
    return struct({**{k: v for k, v in inputs.items() if k != "token"}, "serial": serial, **token})


def noted(op: str, urn: str, **facts: object) -> None:
    with (World / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"op": op, "name": urn.rsplit("::", 1)[-1], **facts}, sort_keys=True) + "\n")


def place(thing: str) -> Path:
    return World / "things" / f"{thing}.json"


def keep(thing: str, inputs: dict[str, Any], serial: int) -> struct_pb2.Struct:
    place(thing).parent.mkdir(exist_ok=True)
    place(thing).write_text(json.dumps({"inputs": inputs, "serial": serial}))
    return outputs(inputs, serial)


class Probe(provider_pb2_grpc.ResourceProviderServicer):
    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse()

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Context) -> provider_pb2.ConfigureResponse:
        with (World / "configured.jsonl").open("a") as log:
            log.write(json.dumps(plain(request.args)) + "\n")
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        bad = plain(request.news).get("value") == "bad"
        failure = provider_pb2.CheckFailure(property="value", reason="value must not be 'bad'")
        return provider_pb2.CheckResponse(inputs=request.news, failures=[failure] if bad else [])

    def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        old, new = plain(request.old_inputs) or plain(request.olds), plain(request.news)
        changed = sorted(k for k in {*old, *new} - {"serial"} if old.get(k) != new.get(k))
        replaces = [k for k in changed if k in ("kind", "slot")]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=changes, diffs=changed, replaces=replaces, deleteBeforeReplace="slot" in replaces
        )

    def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        inputs, name = plain(request.properties), request.urn.rsplit("::", 1)[-1]
        if request.preview:
            return provider_pb2.CreateResponse(properties=outputs(inputs, UNKNOWN))
        if "wait" in inputs:
            noted("begin", request.urn)
        time.sleep(float(inputs.get("wait", 0)))
        if inputs.get("fail") == "create":
            noted("create-failed", request.urn)
            context.abort(grpc.StatusCode.UNKNOWN, f"probe: {name} refuses to be created")
        thing = f"{name}-{uuid.uuid4().hex[:6]}"
        noted("create", request.urn, value=inputs.get("value"))
        made = keep(thing, inputs, 1)
        if inputs.get("fail") == "half":
            half = provider_pb2.ErrorResourceInitFailed(
                id=thing, properties=made, inputs=struct(inputs), reasons=["probe: created, never ready"]
            )
            detail = any_pb2.Any()
            detail.Pack(half)
            status = status_pb2.Status(code=2, message="probe: initialisation failed", details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, status.message)
        return provider_pb2.CreateResponse(id=thing, properties=made)

    def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        noted("read", request.urn)
        if not place(request.id).exists():
            return provider_pb2.ReadResponse()
        found = json.loads(place(request.id).read_text())
        inputs = request.inputs if plain(request.inputs) == found["inputs"] else struct(found["inputs"])
        return provider_pb2.ReadResponse(
            id=request.id, properties=outputs(found["inputs"], found["serial"]), inputs=inputs
        )

    def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        inputs, name = plain(request.news), request.urn.rsplit("::", 1)[-1]
        if request.preview:
            return provider_pb2.UpdateResponse(properties=outputs(inputs, UNKNOWN))
        time.sleep(float(inputs.get("wait", 0)))
        if inputs.get("fail") == "update":
            noted("update-failed", request.urn)
            context.abort(grpc.StatusCode.UNKNOWN, f"probe: {name} refuses to be updated")
        noted("update", request.urn, value=inputs.get("value"))
        serial = int(plain(request.olds).get("serial", 1)) + 1
        return provider_pb2.UpdateResponse(properties=keep(request.id, inputs, serial))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        if plain(request.properties).get("fail") == "delete":
            noted("delete-failed", request.urn)
            context.abort(grpc.StatusCode.UNKNOWN, f"probe: {request.urn.rsplit('::', 1)[-1]} refuses to be deleted")
        noted("delete", request.urn)
        place(request.id).unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        return provider_pb2.InvokeResponse(**{"return": struct({"echo": plain(request.args)})})

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        with (World / "cancelled").open("a") as log:
            log.write("cancelled\n")
        return empty_pb2.Empty()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is stubborn, so that the engine has to kill it
    with (World / "plugins").open("a") as started:
        started.write(f"{os.getpid()}\n")
    parent = os.getppid()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Probe(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201 (the line that the engine waits for)
    server.start()
    while os.getppid() == parent or "PROBE_STAYS" in os.environ:  # as a careless plugin would
        time.sleep(0.1)
    os._exit(0)


if __name__ == "__main__":
    main()
