"""The worker: answers commands from the customer's own database and files, and keeps the index up to date."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel

from alien_iac.runtime import command, container, health, kv, on_created, on_message, on_schedule, secret, storage

files = storage("files")
seen = kv("seen")
database = secret("database")
index = container("index")

ACTIVE_USERS = "SELECT id, name FROM users WHERE active ORDER BY id LIMIT %s"


class Job(BaseModel):
    """What the API asks for: look at this document again."""

    path: str


async def query(statement: str, *values: object) -> list[dict[str, Any]]:
    credentials = await database.get_json()
    connecting = psycopg.AsyncConnection.connect(**credentials, row_factory=dict_row, connect_timeout=5)
    async with await connecting as connection:
        return await (await connection.execute(statement.encode(), values)).fetchall()


@command("get-active-users")
async def get_active_users(limit: int = 100) -> dict[str, Any]:
    """The active users of the customer's own database, at most `limit` of them."""
    rows = await query(ACTIVE_USERS, limit)
    return {"rows": rows, "count": len(rows)}


@command("read-file")
async def read_file(path: str) -> str:
    """A document of the customer's storage."""
    return (await files.get(path)).decode()


@command("search")
async def search(words: str) -> list[str]:
    """The paths of the documents that have all of these words."""
    async with httpx.AsyncClient(base_url=index.url, timeout=5) as client:
        answer = await client.get("/search", params={"words": words})
        found: list[str] = answer.raise_for_status().json()
        return found


@on_created("files")
async def index_document(key: str) -> None:
    """Index a document that is new or changed; the same content again is left alone."""
    text = await files.get(key)
    mark = hashlib.sha256(text).hexdigest().encode()
    entry = await seen.get(_seen_key(key))
    if entry is None or entry.value != mark:
        await add_to_index(key, text)
        await seen.put(_seen_key(key), mark)


@on_message("jobs")
async def look_again(job: Job) -> None:
    await add_to_index(job.path, await files.get(job.path))


@on_schedule
async def note_the_time() -> None:
    await seen.put("last-schedule", datetime.now(UTC).isoformat().encode())


@health
async def healthy() -> None:
    """The worker is of use only while it reaches the database."""
    await query(ACTIVE_USERS, 1)


async def add_to_index(path: str, text: bytes) -> None:
    async with httpx.AsyncClient(base_url=index.url, timeout=5) as client:
        document = {"path": path, "text": text.decode(errors="replace")}
        (await client.put("/documents", json=document)).raise_for_status()


def _seen_key(path: str) -> str:
    return "indexed:" + hashlib.sha256(path.encode()).hexdigest()
