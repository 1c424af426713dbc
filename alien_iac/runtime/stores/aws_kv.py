"""A Kv on AWS: a DynamoDB table in the layout of the public `alienplatform` SDK, which reads and writes it too.

An item's partition is one of sixteen, by its key's hash; `ttl` is in whole seconds, so that an item may live up to one
second longer than it was asked to. DynamoDB removes what expired within days; until then it is hidden here.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import botocore.exceptions

from alien_iac.protocol.bindings import DynamoKv
from alien_iac.runtime.stores import aws_client
from alien_iac.runtime.stores.buckets import BUCKETS, bucket
from alien_iac.runtime.stores.kv import KEY, KvEntry, KvPage, bad_cursor
from alien_iac.runtime.stores.parsing import parse

Item = dict[str, dict[str, Any]]

_LIVE = "(attribute_not_exists(#ttl) OR #ttl > :now)"
_ABSENT = "(attribute_not_exists(pk) OR #ttl <= :now)"


class DynamoTable:
    """One table."""

    def __init__(self, client: Any, table: str, resource_id: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._id = resource_id
        self._clock = clock

    def get(self, key: str) -> KvEntry | None:
        with self._translated():
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return None if item is None or self._expired(item) else _entry(item)

    def put(
        self, key: str, value: bytes, ttl_seconds: float | None, *, if_absent: bool, if_version: str | None
    ) -> bool:
        version = uuid.uuid4().hex
        item: Item = {**_key(key), "value": {"B": value}, "version": {"S": version}}
        if ttl_seconds is not None:
            item["ttl"] = {"N": str(math.ceil(self._clock() + ttl_seconds))}
        condition = self._condition(_ABSENT, None) if if_absent else {}
        if if_version is not None:
            condition = self._condition(_LIVE, if_version)
        found = self._changed(self._client.put_item, Item=item, **condition)
        # Where an answer was lost, the client asked again and met its own item.
        return found is None or found.get("version") == {"S": version}

    def delete(self, key: str, if_version: str | None) -> bool:
        condition = self._condition(f"attribute_exists(pk) AND {_LIVE}", if_version)
        return self._changed(self._client.delete_item, Key=_key(key), **condition) is None

    def scan(self, prefix: str, limit: int, cursor: str | None) -> KvPage:
        if cursor is not None and not (KEY.fullmatch(cursor) and cursor.startswith(prefix)):
            raise bad_cursor(self._id)
        found: list[KvEntry] = []
        first = 0 if cursor is None else bucket(cursor)
        for number in range(first, BUCKETS):
            after = cursor if number == first else None
            for item in self._live(number, prefix, after, limit):
                if len(found) == limit:
                    return KvPage(tuple(found), found[-1].key)
                found.append(_entry(item))
        return KvPage(tuple(found))

    def _live(self, number: int, prefix: str, after: str | None, most: int) -> Iterator[Item]:
        """A partition's items that have not expired, by key. One answer of DynamoDB's holds 1 MB at most."""
        names, values = {"#ttl": "ttl"}, {":now": self._now(), ":pk": {"S": f"bucket_{number}"}}
        wanted = "pk = :pk"
        if prefix:
            values[":prefix"], wanted = {"S": prefix}, "pk = :pk AND begins_with(sk, :prefix)"
        question = {
            "TableName": self._table,
            "ConsistentRead": True,
            "Limit": most + 1,
            "KeyConditionExpression": wanted,
            "FilterExpression": _LIVE,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        start = {} if after is None else {"ExclusiveStartKey": _key(after)}
        while True:
            with self._translated():
                answer = self._client.query(**question, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _changed(self, change: Callable[..., Any], **arguments: Any) -> Item | None:
        """Nothing where it was done; what stood in its way where its condition did not hold."""
        with self._translated():
            try:
                change(TableName=self._table, **arguments)
            except botocore.exceptions.ClientError as error:
                if aws_client.code(error) != "ConditionalCheckFailedException":
                    raise
                found: Item = error.response.get("Item", {})
                return found
        return None

    def _condition(self, wanted: str, version: str | None) -> dict[str, Any]:
        names, values = {"#ttl": "ttl"}, {":now": self._now()}
        if version is not None:
            wanted += " AND #version = :version"
            names["#version"], values[":version"] = "version", {"S": version}
        return {
            "ConditionExpression": wanted,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def _now(self) -> dict[str, str]:
        return {"N": str(math.floor(self._clock()))}

    def _expired(self, item: Item) -> bool:
        return "ttl" in item and float(item["ttl"]["N"]) <= self._clock()

    def _translated(self) -> AbstractContextManager[None]:
        return aws_client.translated(f'kv "{self._id}"')


def _key(key: str) -> Item:
    return {"pk": {"S": f"bucket_{bucket(key)}"}, "sk": {"S": key}}


def _entry(item: Item) -> KvEntry:
    return KvEntry(item["sk"]["S"], bytes(item["value"]["B"]), item["version"]["S"])


def connect(raw: dict[str, Any], resource_id: str) -> DynamoTable:
    """The table that a binding names."""
    binding = parse(DynamoKv, raw, resource_id)
    return DynamoTable(aws_client.client("dynamodb", binding.region, resource_id), binding.table_name, resource_id)
