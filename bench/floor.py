"""The floor: the least that a process can do which checks a token and answers from the same database.

No framework, no log, no refusals: it is there to be measured, and to be used by nobody.
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
from devkit.platform.services import Service, free_ports
from devkit.platform.settings import CHECKOUT

CONNECTIONS_MAX: Final = 10
"""As many connections to the database as a service may have."""

_LIST: Final = (
    "SELECT * FROM tasks WHERE user_id = %(user)s ORDER BY created_at, id LIMIT %(limit)s"
)
_GET: Final = "SELECT * FROM tasks WHERE id = %(task)s AND user_id = %(user)s"
_CREATE: Final = """
WITH raised AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count + 1 WHERE id = %(user)s RETURNING id, counter
)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT uuidv7(), id, %(title)s, false, now(), now(), counter FROM raised RETURNING *
"""
_CHANGE: Final = """
WITH raised AS (UPDATE owners SET counter = counter + 1 WHERE id = %(user)s RETURNING id, counter)
UPDATE tasks SET title = %(title)s, updated_at = now(), version = counter FROM raised
WHERE tasks.id = %(task)s AND user_id = raised.id AND version = %(expected)s RETURNING tasks.*
"""
_DELETE: Final = """
WITH raised AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count - 1 WHERE id = %(user)s RETURNING id
)
DELETE FROM tasks USING raised WHERE tasks.id = %(task)s AND user_id = raised.id RETURNING tasks.id
"""
_ONE: Final[dict[str, LiteralString]] = {
    "GET": _GET,
    "POST": _CREATE,
    "PATCH": _CHANGE,
    "DELETE": _DELETE,
}


class Floor:
    """An ASGI application with the addresses of tasks, for requests that are well; to all others it says hello."""

    def __init__(self, database_url: str, secret: str) -> None:
        self._database_url = database_url
        self._secret = secret
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = await self._act(scope, receive) if scope["path"].startswith("/tasks") else b"hello"
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        kwargs = {"autocommit": True, "row_factory": dict_row}
        open_pool = AsyncConnectionPool[AsyncConnection[DictRow]]
        async with open_pool(
            self._database_url, max_size=CONNECTIONS_MAX, kwargs=kwargs
        ) as self._pool:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _act(self, scope: Scope, receive: Receive) -> bytes:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        claims = jwt.decode(headers[b"authorization"].partition(b" ")[2], self._secret, ["HS256"])
        task = scope["path"].partition("/tasks/")[2]
        values = {
            "user": claims["sub"],
            "task": task,
            **(orjson.loads(await _read(receive) or b"{}")),
        }
        if scope["method"] == "GET" and not task:
            values["limit"] = int(scope["query_string"].partition(b"=")[2])
            return orjson.dumps(await self._rows(_LIST, values))
        values["expected"] = int(headers.get(b"if-match", b'"0"').strip(b'"'))
        return orjson.dumps((await self._rows(_ONE[scope["method"]], values))[0])

    async def _rows(self, statement: LiteralString, values: dict[str, object]) -> list[DictRow]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    return body


def start_floor(group: ProcessGroup, database_url: str, secret: str) -> Service:
    """Start a floor on this database, which takes tokens that are signed with this secret."""
    (port,) = free_ports(1)
    environment = {"DATABASE_URL": database_url, "SECRET": secret, "PORT": str(port)}
    process = group.start(
        "floor", [sys.executable, "-m", __name__], environment, working_directory=CHECKOUT
    )
    return Service("floor", f"http://127.0.0.1:{port}", process)


def main() -> None:
    """Serve until SIGTERM, by the same server as the services."""
    floor = Floor(os.environ["DATABASE_URL"], os.environ["SECRET"])
    uvicorn.run(
        floor,
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
    )


if __name__ == "__main__":
    main()
