"""The other service that this one asks: tasks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple, NotRequired, Protocol, cast

import httpx
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from common.identity import User
from common.problems import (
    BadRequest,
    Conflict,
    FieldError,
    ProblemError,
    RequestTimeout,
    Unavailable,
    Unprocessable,
)
from common.uploads import IMPORT_LIMITS
from users.lines import joined
from users.schemas import ImportRead

ADDRESS: Final = "/internal/owner"
"""Where it keeps what belongs to a user."""

CONNECT_SECONDS: Final = 0.5
"""How long the other service may take to accept."""

CALL_SECONDS: Final = 2.0
"""How long a whole call may take: well within the caller's own deadline."""

PIECE_SECONDS: Final = 5.0
"""How long an export may stand still."""

LOOK_SECONDS: Final = 0.25
"""How often it is looked, while a client sends nothing, whether the other service has answered before the end."""

REPORT_SECONDS: Final = 50.0
"""How long the other service may take for what it got: less than an edge waits for an answer."""

ANSWER_MAX_BYTES: Final = 1_048_576
"""What is read of an answer that is no stream."""

IDLE_SECONDS: Final = 20
"""Shorter than a service keeps idle connections, so that none dies under a call."""

PASSED_ON: Final[Mapping[int, type[ProblemError]]] = {
    400: BadRequest,
    408: RequestTimeout,
    409: Conflict,
    422: Unprocessable,
}
"""What the other service refuses by these statuses is the client's own matter."""

_PLAIN = httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS)
_STREAMED = httpx.Timeout(PIECE_SECONDS, connect=CONNECT_SECONDS)
_REPORTED = httpx.Timeout(IMPORT_LIMITS.seconds_max, connect=CONNECT_SECONDS, read=REPORT_SECONDS)


class _Problem(TypedDict):
    code: str
    detail: str
    errors: NotRequired[list[FieldError]]
    errors_omitted: NotRequired[int]


_PROBLEM = TypeAdapter(_Problem)
_REPORT = TypeAdapter(ImportRead)


class TasksConnections(NamedTuple):
    """Connections to the tasks service: those that are kept for the next call, and a new one for each import."""

    calls: httpx.AsyncClient
    imports: httpx.AsyncClient


class TasksClient:
    """The tasks service, as the internal network shows it, asked on behalf of one request.

    Each call raises `Unavailable` when it is away, slow, or says what nobody expects.
    """

    def __init__(self, connections: TasksConnections, user: User, request_id: str) -> None:
        self._client = connections.calls
        self._imports = connections.imports
        self._headers = {
            "Authorization": f"Bearer {user.passport}",
            "X-User-Id": str(user.id),
            "X-Request-ID": request_id,
        }

    async def erase(self) -> None:
        """Let it forget the caller, who may be unknown there."""
        asked = self._client.stream("DELETE", ADDRESS, headers=self._headers, timeout=_PLAIN)
        with _expected():
            async with asyncio.timeout(CALL_SECONDS), asked as answer:
                answer.raise_for_status()

    @asynccontextmanager
    async def export(self) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Give the lines of all that the caller has there, in pieces, as long as the block lasts.

        It begins when the first piece is there: until then it can still be said that there is nothing to be had.
        """
        asked = self._client.stream(
            "GET", f"{ADDRESS}/export", headers=self._headers, timeout=_STREAMED
        )
        with _expected():
            async with asked as answer:
                answer.raise_for_status()
                pieces = answer.aiter_bytes()
                yield joined(await anext(pieces, b""), pieces)

    async def import_(self, lines: AsyncIterator[bytes]) -> ImportRead:
        """Hand on lines as they come, no further than to an answer, and return what became of them.

        Raises:
            Refusal: A line is bad, there are too many, or they come too slowly.
        """
        connection = _Connection()
        asked = self._imports.stream(
            "POST",
            f"{ADDRESS}/import",
            headers=self._headers,
            timeout=_REPORTED,
            content=_until_answered(lines, connection),
            extensions={"trace": connection.trace},
        )
        with _expected():
            async with asked as answer:
                body = await _read(answer)
                if answer.status_code in PASSED_ON:
                    problem = _PROBLEM.validate_json(body)
                    raise PASSED_ON[answer.status_code](
                        problem["code"],
                        problem["detail"],
                        errors=problem.get("errors", ()),
                        errors_omitted=problem.get("errors_omitted", 0),
                    )
                answer.raise_for_status()
                return _REPORT.validate_json(body)


class _Stream(Protocol):
    def get_extra_info(self, info: str) -> object: ...


class _Connection:
    """Knows whether something has arrived on a connection that was opened for one request."""

    def __init__(self) -> None:
        self._stream: _Stream | None = None

    async def trace(self, event: str, details: Mapping[str, object]) -> None:
        """Keep the connection when it is open. Source: HTTPX, request extensions, `trace`."""
        if event == "connection.connect_tcp.complete":
            self._stream = cast("_Stream", details["return_value"])

    @property
    def has_arrived(self) -> bool:
        """Whether there is an answer, or the connection's end, that nobody has read."""
        return self._stream is not None and bool(self._stream.get_extra_info("is_readable"))


async def _until_answered(
    pieces: AsyncIterator[bytes], connection: _Connection
) -> AsyncIterator[bytes]:
    """Hand on pieces until the other service has answered.

    The driver sends a body to its end before it reads, so an answer before that would wait for the slowest client.
    """
    while True:
        piece = await _next_piece(pieces, connection)
        if piece is None:
            return
        yield piece


async def _next_piece(pieces: AsyncIterator[bytes], connection: _Connection) -> bytes | None:
    coming = asyncio.ensure_future(anext(pieces, None))
    try:
        while not coming.done() and not connection.has_arrived:
            await asyncio.wait({coming}, timeout=LOOK_SECONDS)
        return None if connection.has_arrived else coming.result()
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


@asynccontextmanager
async def tasks_connections(url: str) -> AsyncGenerator[TasksConnections]:
    """Keep connections to the tasks service as long as this service lives.

    There may be any number of them, or those that wait for slow clients would be missing to all others.
    """
    calls = httpx.Limits(max_connections=None, keepalive_expiry=IDLE_SECONDS)
    imports = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(base_url=url, limits=calls, trust_env=False) as for_calls,
        httpx.AsyncClient(base_url=url, limits=imports, trust_env=False) as for_imports,
    ):
        yield TasksConnections(for_calls, for_imports)


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > ANSWER_MAX_BYTES:
            raise ValueError
    return body


@contextmanager
def _expected() -> Generator[None]:
    try:
        yield
    except (TimeoutError, httpx.HTTPError, ValueError) as error:
        raise Unavailable("tasks-unavailable", "Tasks cannot be reached at the moment.") from error
