"""The index: a full-text search over the customer's documents, on a volume of its own."""

import os
import sqlite3
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.runtime import command, serve

DATABASE = Path(os.environ["ALIEN_VOLUME_INDEX_DATA"]) / "index.sqlite"


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE)
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5(path UNINDEXED, text)")
    return connection


@command("index-size")
def index_size() -> int:
    """How many documents the index has."""
    with connect() as connection:
        count: int = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
        return count


async def put(request: Request) -> Response:
    document = await request.json()
    with connect() as connection:
        connection.execute("DELETE FROM documents WHERE path = ?", [document["path"]])
        connection.execute("INSERT INTO documents VALUES (?, ?)", [document["path"], document["text"]])
    return Response(status_code=204)


async def search(request: Request) -> Response:
    words = [f'"{word.replace(chr(34), "")}"' for word in request.query_params["words"].split()]
    with connect() as connection:
        rows = connection.execute("SELECT path FROM documents WHERE documents MATCH ? ORDER BY path", [" ".join(words)])
        return JSONResponse([path for (path,) in rows])


async def healthy(_request: Request) -> Response:
    return JSONResponse({"documents": index_size()})


if __name__ == "__main__":
    serve(
        Starlette(
            routes=[
                Route("/documents", put, methods=["PUT"]),
                Route("/search", search),
                Route("/health", healthy),
            ]
        )
    )
