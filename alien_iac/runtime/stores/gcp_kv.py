"""A Kv on Google Cloud: a collection of a Firestore database, one document an item, its id the key.

The public `alienplatform` SDK reads and writes the same documents: `value` in base64, `created_at`, and `expires_at`
where there is a time to live. Firestore removes expired ones within a day or so; until then they are passed over here.
The version is the time of a document's last change.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound, ResourceExhausted
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import DELETE_FIELD, Client, CollectionReference, DocumentReference, DocumentSnapshot

from alien_iac.errors import InvalidInput
from alien_iac.protocol import bindings
from alien_iac.runtime.stores.gcp_errors import translated
from alien_iac.runtime.stores.kv import KEY, KvEntry, KvPage, bad_cursor
from alien_iac.runtime.stores.parsing import parse

SECONDS = 20.0
"""How long one operation may take with all that is tried again."""
_REFUSED = re.compile(r"\.|\.\.|__.*__")
"""Keys that Firestore keeps for itself."""
_FIRST, _LAST = "-", "~"
"""At or before, and after, every character of a key."""


class FirestoreKv:
    """One collection. Its client may be used by many threads."""

    def __init__(
        self,
        collection: CollectionReference,
        resource_id: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._collection = collection
        self._id = resource_id
        self._clock = clock
        # Firestore refuses a write, undone, while others write the same document; after that it may be tried again.
        self._undone = Retry(if_exception_type(Aborted, ResourceExhausted), initial=0.05, maximum=2.0, timeout=SECONDS)

    def get(self, key: str) -> KvEntry | None:
        document = self._document(key)
        with translated(self._about):
            return self._live(document.get(timeout=SECONDS))

    def put(
        self, key: str, value: bytes, ttl_seconds: float | None, *, if_absent: bool, if_version: str | None
    ) -> bool:
        document, now = self._document(key), self._clock()
        fields: dict[str, Any] = {"value": base64.b64encode(value).decode(), "created_at": now}
        if ttl_seconds is not None:
            fields["expires_at"] = now + timedelta(seconds=ttl_seconds)
        with translated(self._about):
            if if_absent:
                return self._create(document, fields)
            if if_version is not None:
                there = document.get(timeout=SECONDS)
                entry = self._live(there)
                return entry is not None and entry.version == if_version and self._replace(there, fields)
            document.set(fields, retry=self._undone, timeout=SECONDS)
        return True

    def delete(self, key: str, if_version: str | None) -> bool:
        document = self._document(key)
        with translated(self._about):
            while True:
                there = document.get(timeout=SECONDS)
                entry = self._live(there)
                if entry is None or (if_version is not None and entry.version != if_version):
                    return False
                if self._delete(there):
                    return True

    def scan(self, prefix: str, limit: int, cursor: str | None) -> KvPage:
        if cursor is not None and not (KEY.fullmatch(cursor) and cursor.startswith(prefix)):
            raise bad_cursor(self._id)
        query = self._collection.order_by("__name__").limit(limit + 1)
        if cursor:
            query = query.start_after({"__name__": cursor})
        elif prefix:
            query = query.start_at({"__name__": prefix + _FIRST if _REFUSED.fullmatch(prefix) else prefix})
        if prefix:
            query = query.end_before({"__name__": prefix + _LAST})
        with translated(self._about):
            found = query.get(timeout=SECONDS)
        items = tuple(entry for there in found[:limit] if (entry := self._live(there)))
        return KvPage(items, found[limit - 1].id if len(found) > limit else None)

    @property
    def _about(self) -> str:
        return f'kv "{self._id}"'

    def _document(self, key: str) -> DocumentReference:
        if _REFUSED.fullmatch(key):
            raise InvalidInput(
                f'kv "{self._id}": {key!r} is no key on Google Cloud, which keeps ".", ".." and "__…__" for itself'
            )
        return self._collection.document(key)

    def _live(self, there: DocumentSnapshot) -> KvEntry | None:
        """The item of a document, unless its time is over."""
        fields = there.to_dict() if there.exists else None
        if fields is None or ((expires := fields.get("expires_at")) and expires <= self._clock()):
            return None
        return KvEntry(there.id, base64.b64decode(fields["value"]), _version(there))

    def _create(self, document: DocumentReference, fields: dict[str, Any]) -> bool:
        while True:
            try:
                document.create(fields, retry=self._undone, timeout=SECONDS)
            except AlreadyExists:
                there = document.get(timeout=SECONDS)
                if there.exists:
                    # Of those who find an expired document, one replaces it.
                    return self._live(there) is None and self._replace(there, fields)
            else:
                return True

    def _replace(self, there: DocumentSnapshot, fields: dict[str, Any]) -> bool:
        """Whether the document was still as it was read, and is replaced now."""
        try:
            there.reference.update(
                {"expires_at": DELETE_FIELD, **fields}, option=_unchanged(there), retry=self._undone, timeout=SECONDS
            )
        except (FailedPrecondition, NotFound):
            return False
        return True

    def _delete(self, there: DocumentSnapshot) -> bool:
        try:
            there.reference.delete(option=_unchanged(there), retry=self._undone, timeout=SECONDS)
        except (FailedPrecondition, NotFound):
            return False
        return True


def _version(there: DocumentSnapshot) -> str:
    changed: DatetimeWithNanoseconds = there.update_time
    return str(changed.rfc3339())


def _unchanged(there: DocumentSnapshot) -> Any:
    """The condition that a document was not changed since it was read."""
    return Client.write_option(last_update_time=there.update_time.timestamp_pb())


def connect(raw: dict[str, Any], resource_id: str) -> FirestoreKv:
    """The collection that a binding names, with the workload's own service account."""
    binding = parse(bindings.FirestoreKv, raw, resource_id)
    with translated(f'kv "{resource_id}"'):
        client = Client(project=binding.project_id, database=binding.database_id)
    return FirestoreKv(client.collection(binding.collection_name), resource_id)
