"""Lists a page at a time, newest first. A cursor is the last row's key: new rows neither repeat nor hide any."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, RowMapping, Select, tuple_

from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import Instant
from alien_iac.errors import InvalidInput

LIMIT = 100
"""Rows of a page, where the caller does not say."""


def page(
    transaction: Transaction,
    query: Select[Any],
    order: Sequence[Column[Any]],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[RowMapping], str | None]:
    """The rows after `cursor`, descending by `order` (columns that are unique together), and the next cursor."""
    if cursor is not None:
        query = query.where(tuple_(*order) < _read(cursor, order))
    rows = transaction.all(query.order_by(*(column.desc() for column in order)).limit(limit + 1))
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _write(rows[limit - 1], order)


def _write(row: RowMapping, order: Sequence[Column[Any]]) -> str:
    found = [row[column.name] for column in order]
    values = [value.isoformat() if isinstance(value, datetime) else value for value in found]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _read(cursor: str, order: Sequence[Column[Any]]) -> tuple[Any, ...]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        pairs = zip(values, order, strict=True)
        return tuple(
            datetime.fromisoformat(value) if isinstance(column.type, Instant) else column.type.python_type(value)
            for value, column in pairs
        )
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput("the cursor is not one of this list", hint="start without a cursor") from error
