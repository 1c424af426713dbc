"""A Kv on Azure: a table of a storage account, its items spread over sixteen partitions.

The public `alienplatform` SDK reads and writes the same entities: `Value` in base64, `CreatedAt`, and `ExpiresAt` where
there is a time to live. Azure's tables have none of their own: what expired is passed over here, and removed by
`azure_sweep`. The version is an entity's ETag.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, TableErrorCode, UpdateMode

from alien_iac.protocol import bindings
from alien_iac.runtime.stores.azure_errors import translated
from alien_iac.runtime.stores.azure_identity import credential
from alien_iac.runtime.stores.azure_sweep import Sweep
from alien_iac.runtime.stores.buckets import BUCKETS, bucket
from alien_iac.runtime.stores.kv import KEY, PAGE_LIMIT, KvEntry, KvPage, bad_cursor
from alien_iac.runtime.stores.parsing import parse

_LAST = "~"
"""After every character of a key."""
_RANGE = "PartitionKey eq @partition and RowKey {low} @low and RowKey lt @high"


class TableKv:
    """One table. Its client may be used by many threads."""

    def __init__(
        self, table: TableClient, resource_id: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._table = table
        self._id = resource_id
        self._about = f'kv "{resource_id}"'
        self._clock = clock
        self._sweep = Sweep(table, clock)

    def get(self, key: str) -> KvEntry | None:
        with translated(self._about):
            return self._live(self._read(key))

    def put(
        self, key: str, value: bytes, ttl_seconds: float | None, *, if_absent: bool, if_version: str | None
    ) -> bool:
        now = self._clock()
        entity = {**_address(key), "Value": base64.b64encode(value).decode(), "CreatedAt": now.isoformat()}
        if ttl_seconds is not None:
            entity["ExpiresAt"] = (now + timedelta(seconds=ttl_seconds)).isoformat()
        with translated(self._about):
            if if_absent:
                return self._create(key, entity)
            if if_version is not None:
                there = self._live(self._read(key))
                return there is not None and there.version == if_version and self._replace(if_version, entity)
            self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
            self._sweep.turn()
        return True

    def delete(self, key: str, if_version: str | None) -> bool:
        with translated(self._about):
            while True:
                there = self._live(self._read(key))
                if there is None or (if_version is not None and there.version != if_version):
                    return False
                if self._delete(key, there.version):
                    return True

    def scan(self, prefix: str, limit: int, cursor: str | None) -> KvPage:
        """Partition by partition, in each by key. A cursor is the last key."""
        if cursor is not None and not (KEY.fullmatch(cursor) and cursor.startswith(prefix)):
            raise bad_cursor(self._id)
        first = 0 if cursor is None else bucket(cursor)
        found: list[TableEntity] = []
        for partition in range(first, BUCKETS):
            wanted = limit + 1 - len(found)
            if wanted <= 0:
                break
            after = cursor if partition == first else None
            with translated(self._about):
                found += islice(self._range(partition, prefix, after, wanted), wanted)
        items = tuple(entry for entity in found[:limit] if (entry := self._live(entity)))
        return KvPage(items, found[limit - 1]["RowKey"] if len(found) > limit else None)

    def _range(self, partition: int, prefix: str, after: str | None, wanted: int) -> Any:
        low, first = ("gt", after) if after else ("ge", prefix)
        places = {"partition": f"p{partition}", "low": first, "high": prefix + _LAST}
        return self._table.query_entities(
            _RANGE.format(low=low), parameters=places, results_per_page=min(wanted, PAGE_LIMIT)
        )

    def _read(self, key: str) -> TableEntity | None:
        place = _address(key)
        try:
            return self._table.get_entity(place["PartitionKey"], place["RowKey"])
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", None) == TableErrorCode.TABLE_NOT_FOUND:
                raise
            return None

    def _live(self, entity: TableEntity | None) -> KvEntry | None:
        """The item of an entity, unless its time is over."""
        if entity is None:
            return None
        expires = entity.get("ExpiresAt")
        if expires and datetime.fromisoformat(expires) <= self._clock():
            return None
        return KvEntry(entity["RowKey"], base64.b64decode(entity["Value"]), _version(entity))

    def _create(self, key: str, entity: dict[str, str]) -> bool:
        while True:
            try:
                self._table.create_entity(entity)
            except ResourceExistsError:
                there = self._read(key)
                if there is not None:
                    # Of those who find an expired entity, one replaces it.
                    return self._live(there) is None and self._replace(_version(there), entity)
            else:
                return True

    def _replace(self, version: str, entity: dict[str, str]) -> bool:
        """Whether the entity was still as it was read, and is replaced now."""
        try:
            self._table.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _delete(self, key: str, version: str) -> bool:
        # The client hides the answer that somebody else was faster; the hook sees it.
        answers: list[int] = []
        place = _address(key)
        try:
            self._table.delete_entity(
                place["PartitionKey"],
                place["RowKey"],
                etag=version,
                match_condition=MatchConditions.IfNotModified,
                raw_response_hook=lambda response: answers.append(response.http_response.status_code),
            )
        except ResourceModifiedError:
            return False
        return answers[-1] != HTTPStatus.NOT_FOUND


def _address(key: str) -> dict[str, str]:
    return {"PartitionKey": f"p{bucket(key)}", "RowKey": key}


def _version(entity: TableEntity) -> str:
    return str(entity.metadata["etag"])


def connect(raw: dict[str, Any], resource_id: str) -> TableKv:
    """The table that a binding names, with the workload's own identity."""
    binding = parse(bindings.TableKv, raw, resource_id)
    endpoint = f"https://{binding.account_name}.table.core.windows.net"
    return TableKv(TableClient(endpoint, binding.table_name, credential=credential()), resource_id)
