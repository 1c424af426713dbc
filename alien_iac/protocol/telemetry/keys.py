"""The attributes that leave below `full`: a literal table of keys, each with the form that its value must have.

A key that is not here, or a value of another form, does not leave.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from alien_iac.protocol.telemetry.levels import FRAMES, TEMPLATE
from alien_iac.protocol.telemetry.redact import is_clean

Scalar = str | bool | int | float
Value = Scalar | list[str]
Form = Callable[[object], Value | None]

RESERVED = ("alien.deployment", "alien.customer", "alien.release", "alien.platform", "alien.workload")
"""Beginnings of the keys that only the receiver writes; nobody else's claim is kept, at any level."""

_TEMPLATE_LIMIT = 512
_MOST_FRAMES = 50
_CLASS = re.compile(r"[A-Za-z_]\w{0,79}(?:[.:]{1,2}[A-Za-z_]\w{0,79}){0,8}")
_CODE = re.compile(r"[a-z]{2,20}|[A-Z][A-Z_]{1,59}")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?", re.IGNORECASE)
_EVENT = re.compile(r"(?:cmd|call|msg|run)_[0-9a-z]{8,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_VERSION = re.compile(r"v?\d{1,6}(?:\.\w{1,16}){0,4}")
_ROUTE = re.compile(r"(?:/(?:[A-Za-z_.-]{1,40}|v\d{1,2}|\{[\w:.*-]{1,60}\}|<[\w:.*-]{1,60}>|:\w{1,40}|\*{1,2})?){1,20}")
_FILE = re.compile(
    r"[A-Za-z_]\w{0,60}\.(?:py|js|mjs|ts|tsx|go|java|kt|scala|rb|rs|cs|fs|php|c|cc|cpp|h|m|swift|ex|exs|erl|clj|lua)"
)
_FRAME = re.compile(rf"(?:{_FILE.pattern}|<\w{{1,20}}>|<frozen [\w.]{{1,60}}>):\d{{1,6}}(?: [\w.<>$]{{1,120}})?")


def _number(lowest: float, highest: float) -> Form:
    def form(value: object) -> Value | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if lowest <= value <= highest else None

    return form


def _words(*words: str) -> Form:
    allowed = frozenset(words)
    return lambda value: value if isinstance(value, str) and value in allowed else None


def _matching(pattern: re.Pattern[str]) -> Form:
    def form(value: object) -> Value | None:
        return value if isinstance(value, str) and pattern.fullmatch(value) and is_clean(value) else None

    return form


def _truth(value: object) -> Value | None:
    return value if isinstance(value, bool) else None


def _template(value: object) -> Value | None:
    return value if isinstance(value, str) and len(value) <= _TEMPLATE_LIMIT and is_clean(value) else None


def _frames(value: object) -> Value | None:
    if not isinstance(value, list):
        return None
    return [each for each in value[:_MOST_FRAMES] if isinstance(each, str) and _FRAME.fullmatch(each)]


def _file(value: object) -> Value | None:
    """A file's name, without the folders that it is in."""
    name = value.replace("\\", "/").rpartition("/")[2] if isinstance(value, str) else ""
    return name if _FILE.fullmatch(name) and is_clean(name) else None


_SIZE = _number(0, 2**53)
_STATUS = _number(0, 999)
_METHOD = _words("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "_OTHER")
_OPERATION = _words("create", "send", "receive", "process", "settle", "publish", "ack", "nack")
_DATABASE = _words(
    "postgresql", "mysql", "mariadb", "sqlite", "redis", "mongodb", "elasticsearch", "cassandra", "dynamodb",
    "aws.dynamodb", "gcp.spanner", "azure.cosmosdb", "mssql", "microsoft.sql_server", "oracle", "oracle.db",
    "memcached", "other_sql",
)  # fmt: skip
_STATEMENT = _words("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "GET", "SET", "HGET", "HSET", "find", "insert")

ALLOWED: Mapping[str, Form] = MappingProxyType(
    {
        TEMPLATE: _template,
        FRAMES: _frames,
        "exception.type": _matching(_CLASS),
        "exception.escaped": _truth,
        "error.type": _matching(re.compile(rf"{_CLASS.pattern}|[1-5]\d\d")),
        "code.function.name": _matching(_CLASS),
        "code.function": _matching(_CLASS),
        "code.namespace": _matching(_CLASS),
        "code.file.path": _file,
        "code.filepath": _file,
        "code.line.number": _number(0, 10**6),
        "code.lineno": _number(0, 10**6),
        "http.request.method": _METHOD,
        "http.method": _METHOD,
        "http.route": _matching(_ROUTE),
        "http.response.status_code": _STATUS,
        "http.status_code": _STATUS,
        "http.request.body.size": _SIZE,
        "http.response.body.size": _SIZE,
        "http.request.resend_count": _STATUS,
        "url.scheme": _words("http", "https", "ws", "wss"),
        "network.transport": _words("tcp", "udp", "unix", "pipe", "quic"),
        "network.protocol.name": _words("http", "amqp", "mqtt", "grpc", "ws"),
        "network.protocol.version": _words("1.0", "1.1", "2", "3"),
        "rpc.system": _words("grpc", "java_rmi", "dotnet_wcf", "apache_dubbo", "connect_rpc", "jsonrpc", "aws-api"),
        "rpc.service": _matching(_CLASS),
        "rpc.method": _matching(_CLASS),
        "rpc.grpc.status_code": _STATUS,
        "db.system": _DATABASE,
        "db.system.name": _DATABASE,
        "db.operation": _STATEMENT,
        "db.operation.name": _STATEMENT,
        "db.response.status_code": _matching(re.compile(r"[0-9A-Z]{1,6}")),
        "messaging.system": _words(
            "alien", "aws_sqs", "gcp_pubsub", "servicebus", "kafka", "rabbitmq", "eventhubs", "jms", "pulsar"
        ),
        "messaging.operation.type": _OPERATION,
        "messaging.operation": _OPERATION,
        "messaging.batch.message_count": _SIZE,
        "faas.trigger": _words("datasource", "http", "pubsub", "timer", "other"),
        "faas.coldstart": _truth,
        "thread.id": _SIZE,
        "process.pid": _SIZE,
        "telemetry.sdk.language": _words(
            "cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby", "rust", "swift", "webjs"
        ),
        "telemetry.sdk.name": _words("opentelemetry", "alien"),
        "telemetry.sdk.version": _matching(_VERSION),
        "service.name": _matching(_ID),
        "service.version": _matching(_VERSION),
        "service.instance.id": _matching(_EVENT),
        "alien.attempt": _number(0, 10**6),
        "alien.event.id": _matching(_EVENT),
        "alien.handler": _matching(_ID),
        "alien.kind": _words("command", "message", "created", "schedule", "health", "invoke"),
        "alien.outcome": _matching(_CODE),
        "alien.place": _words("source", "agent", "control"),
        "alien.reason": _words("full", "old", "refused", "level", "broken", "killed"),
        "alien.signal": _words("logs", "metrics", "traces"),
    }
)


def is_reserved(key: str) -> bool:
    """Whether only the receiver writes this key."""
    return key.startswith(RESERVED)


def allowed(key: str, value: object) -> Value | None:
    """The value as it may leave below `full`; None where it may not."""
    form = ALLOWED.get(key)
    return form(value) if form else None
