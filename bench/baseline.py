"""The baseline: the least that a process can do which verifies a token and reads the same database.

No framework, no log, no error handling: only for measurements.
"""

import os
import sys
from typing import Final, LiteralString

import jwt
import orjson
import uvicorn
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.types import Receive, Scope, Send

from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, local_url
from devkit.platform.settings import CHECKOUT

CONNECTIONS_MAX: Final = 10
"""Connections to the database, as many as a service may have."""

_LIST: Final = """
SELECT * FROM tasks WHERE user_id = %(user_id)s ORDER BY created_at, id LIMIT %(limit)s
"""
_GET: Final = "SELECT * FROM tasks WHERE id = %(task_id)s AND user_id = %(user_id)s"
_CREATE: Final = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count + 1 WHERE id = %(user_id)s
    RETURNING id, counter
)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT uuidv7(), id, %(title)s, false, now(), now(), counter FROM counter_bump RETURNING *
"""
_CHANGE: Final = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + 1 WHERE id = %(user_id)s RETURNING id, counter
)
UPDATE tasks SET title = %(title)s, updated_at = now(), version = counter FROM counter_bump
WHERE tasks.id = %(task_id)s AND user_id = counter_bump.id AND version = %(if_match)s
RETURNING tasks.*
"""
_DELETE: Final = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count - 1 WHERE id = %(user_id)s
    RETURNING id
)
DELETE FROM tasks USING counter_bump WHERE tasks.id = %(task_id)s AND user_id = counter_bump.id
RETURNING tasks.id
"""
_STATEMENTS: Final[dict[str, LiteralString]] = {
    "GET": _GET,
    "POST": _CREATE,
    "PATCH": _CHANGE,
    "DELETE": _DELETE,
}
"""What a method does, apart from listing."""


class Baseline:
    """An ASGI application for valid requests below `/tasks`; other paths get a fixed response."""

    def __init__(self, database_url: str, secret: str) -> None:
        self._database_url = database_url
        self._secret = secret
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
            return
        body = b"hello"
        if scope["path"].startswith("/tasks"):
            body = await self._handle(scope, receive)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        kwargs = {"autocommit": True, "row_factory": dict_row}
        create_pool = AsyncConnectionPool[AsyncConnection[DictRow]]
        async with create_pool(
            self._database_url, max_size=CONNECTIONS_MAX, kwargs=kwargs
        ) as self._pool:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _handle(self, scope: Scope, receive: Receive) -> bytes:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        token = headers[b"authorization"].partition(b" ")[2]
        claims = jwt.decode(token, self._secret, ["HS256"])
        task_id = scope["path"].partition("/tasks/")[2]
        params: dict[str, object] = {"user_id": claims["sub"], "task_id": task_id}
        params.update(orjson.loads(await _read_body(receive) or b"{}"))
        if scope["method"] == "GET" and not task_id:
            params["limit"] = int(scope["query_string"].partition(b"=")[2])
            return orjson.dumps(await self._fetch_all(_LIST, params))
        params["if_match"] = int(headers.get(b"if-match", b'"0"').strip(b'"'))
        rows = await self._fetch_all(_STATEMENTS[scope["method"]], params)
        return orjson.dumps(rows[0])

    async def _fetch_all(
        self, statement: LiteralString, params: dict[str, object]
    ) -> list[DictRow]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement, params)
            return await cursor.fetchall()


async def _read_body(receive: Receive) -> bytes:
    body = b""
    more_body = True
    while more_body:
        message = await receive()
        body += message["body"]
        more_body = message["more_body"]
    return body


def start_baseline(group: ProcessGroup, database_url: str, secret: str) -> Service:
    """Start a baseline process.

    Args:
        group: Group that the process belongs to.
        database_url: Database of the tasks service.
        secret: Secret of the tokens that it accepts.
    """
    (port,) = free_ports(1)
    environment = {"DATABASE_URL": database_url, "SECRET": secret, "PORT": str(port)}
    process = group.start(
        "baseline", [sys.executable, "-m", __name__], environment, working_directory=CHECKOUT
    )
    return Service("baseline", local_url(port), process)


def main() -> None:
    """Serve until SIGTERM, with the same server as the services."""
    uvicorn.run(
        Baseline(os.environ["DATABASE_URL"], os.environ["SECRET"]),
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
    )


if __name__ == "__main__":
    main()
