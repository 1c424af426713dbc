"""A double of Firestore, for tests, over its gRPC interface: documents with conditions, and queries by name.

No emulator from a package index has conditions on the time of a change. Left out: transactions, indexes, queries by
fields, several collections in one query, listening, contention, and the removal of expired documents.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
from google.cloud.firestore_v1.types import document, firestore, query, write
from runtime.grpc_double import Refusal, Rpc

_REFUSED = re.compile(r"\.|\.\.|__.*__")


class Firestore:
    """All databases of all projects, in memory."""

    name = "google.firestore.v1.Firestore"

    def __init__(self) -> None:
        self._documents: dict[str, document.Document] = {}
        self._lock = threading.Lock()
        self._last = datetime.now(UTC)

    def rpcs(self) -> dict[str, Rpc]:
        """What the client for Python calls."""
        return {
            "Commit": Rpc(firestore.CommitRequest, firestore.CommitResponse, self._commit),
            "BatchGetDocuments": Rpc(
                firestore.BatchGetDocumentsRequest, firestore.BatchGetDocumentsResponse, self._get, streams=True
            ),
            "RunQuery": Rpc(firestore.RunQueryRequest, firestore.RunQueryResponse, self._query, streams=True),
        }

    def _commit(self, request: firestore.CommitRequest, context: grpc.ServicerContext) -> firestore.CommitResponse:
        _routed(request.database, context)
        with self._lock:
            now = self._now()
            for wanted in request.writes:
                self._check(wanted)
            results = [self._write(wanted, now) for wanted in request.writes]
        return firestore.CommitResponse(write_results=results, commit_time=now)

    def _check(self, wanted: write.Write) -> None:
        name = wanted.update.name or wanted.delete
        if _REFUSED.fullmatch(name.rpartition("/")[2]):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"{name} is a reserved id")
        condition, there = wanted.current_document, self._documents.get(name)
        if "exists" in condition and condition.exists != (there is not None):
            code = grpc.StatusCode.NOT_FOUND if condition.exists else grpc.StatusCode.ALREADY_EXISTS
            raise Refusal(code, name)
        if "update_time" in condition and (there is None or there.update_time != condition.update_time):
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, f"{name} was changed")

    def _write(self, wanted: write.Write, now: datetime) -> write.WriteResult:
        if wanted.delete:
            self._documents.pop(wanted.delete, None)
            return write.WriteResult()
        there = self._documents.get(wanted.update.name)
        fields = dict(wanted.update.fields)
        if "update_mask" in wanted and there is not None:
            masked = set(wanted.update_mask.field_paths)
            fields = {**{name: value for name, value in there.fields.items() if name not in masked}, **fields}
        self._documents[wanted.update.name] = document.Document(
            name=wanted.update.name, fields=fields, create_time=there.create_time if there else now, update_time=now
        )
        return write.WriteResult(update_time=now)

    def _get(
        self, request: firestore.BatchGetDocumentsRequest, context: grpc.ServicerContext
    ) -> Iterator[firestore.BatchGetDocumentsResponse]:
        _routed(request.database, context)
        for name in request.documents:
            found = self._documents.get(name)
            told = {"found": found} if found else {"missing": name}
            yield firestore.BatchGetDocumentsResponse(read_time=datetime.now(UTC), **told)

    def _query(
        self, request: firestore.RunQueryRequest, context: grpc.ServicerContext
    ) -> Iterator[firestore.RunQueryResponse]:
        _routed(request.parent.removesuffix("/documents"), context)
        wanted = request.structured_query
        root = f"{request.parent}/{wanted.from_[0].collection_id}/"
        if [order.field.field_path for order in wanted.order_by] != ["__name__"]:
            raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "this double orders by name alone")
        with self._lock:
            names = [name for name in sorted(self._documents) if name.startswith(root) and _within(name, wanted)]
            found = [self._documents[name] for name in names[: wanted.limit]]
        for there in found:
            yield firestore.RunQueryResponse(document=there, read_time=datetime.now(UTC))
        if not found:
            yield firestore.RunQueryResponse(read_time=datetime.now(UTC))

    def _now(self) -> datetime:
        """A time that no other change has."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last


def _within(name: str, wanted: query.StructuredQuery) -> bool:
    starts, ends = wanted.start_at, wanted.end_at
    first = starts.values[0].reference_value if "start_at" in wanted else ""
    last = ends.values[0].reference_value if "end_at" in wanted else "\x7f"
    after = name >= first if starts.before or not first else name > first
    return after and (name < last if ends.before else name <= last)


def _routed(database: str, context: grpc.ServicerContext) -> None:
    """Firestore finds a database that is not the default one by a header."""
    if dict(context.invocation_metadata()).get("google-cloud-resource-prefix") != database:
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "the header names another database")
