"""A bare FastAPI + SQLAlchemy + SQLite service with the writes of one command, to measure the control plane beside.

It creates, leases and ends a command in three transactions at `synchronous=NORMAL`, without tokens, checks, waiting,
audit or redelivery. Usage: skeleton.py DATABASE; it prints its address.
"""

import socket
import sys
import uuid
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, event, insert, select, update

COMMANDS = Table(
    "commands",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("state", String, index=True),
    Column("params", String),
    Column("result", String),
)


def open_database(path: str) -> Engine:
    """The database in WAL mode at synchronous=NORMAL, which may lose the last transactions with the power."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=30000")

    COMMANDS.metadata.create_all(engine)
    return engine


def create_app(engine: Engine) -> FastAPI:
    """The three routes."""
    app = FastAPI()

    @app.post("/commands")
    def create(body: dict[str, str]) -> dict[str, str]:
        made = uuid.uuid4().hex
        with engine.begin() as connection:
            connection.execute(insert(COMMANDS).values(id=made, state="PENDING", params=body["params"]))
        return {"id": made}

    @app.post("/lease")
    def lease() -> dict[str, str | None]:
        with engine.begin() as connection:
            oldest = select(COMMANDS.c.id).where(COMMANDS.c.state == "PENDING").limit(1).scalar_subquery()
            taken = update(COMMANDS).where(COMMANDS.c.id == oldest).values(state="DISPATCHED").returning(COMMANDS.c.id)
            return {"id": connection.execute(taken).scalar()}

    @app.put("/commands/{made}")
    def finish(made: str, body: dict[str, str]) -> dict[str, str]:
        with engine.begin() as connection:
            connection.execute(
                update(COMMANDS).where(COMMANDS.c.id == made).values(state="SUCCEEDED", result=body["result"])
            )
        return {}

    return app


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(create_app(open_database(sys.argv[1])), log_level="warning", access_log=False)
    uvicorn.Server(config).run([listener])
