"""Parses bytes of strangers with protobuf's own bound on nesting, a hundred messages deep.

Pulumi's SDK lifts that bound for its whole process, so that a state may be as deep as it likes. In such a process, the
agent's above all, two megabytes of opened groups would overflow the stack and end it.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.internal import api_implementation
from google.protobuf.message import Message

_LIFTS_THE_BOUND = "pulumi.runtime.rpc"
_ONE_AT_A_TIME = threading.Lock()


def parse(message: Message, content: bytes) -> None:
    """Fill a message from bytes. Raises protobuf's DecodeError, for what is nested too deeply as well."""
    with _bounded():
        message.ParseFromString(content)


@contextmanager
def _bounded() -> Iterator[None]:
    if _LIFTS_THE_BOUND not in sys.modules or api_implementation.Type() != "upb":
        yield
        return
    parser = importlib.import_module("google._upb._message")
    with _ONE_AT_A_TIME:
        parser.SetAllowOversizeProtos(False)
        try:
            yield
        finally:
            parser.SetAllowOversizeProtos(True)
