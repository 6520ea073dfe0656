"""The client of the tasks service."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, NotRequired, Protocol, cast

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
from common.service_client import (
    CALL_SECONDS,
    CONNECT_SECONDS,
    KEEP_ALIVE_SECONDS,
    call_headers,
    create_client,
)
from common.streaming import prepend
from common.uploads import IMPORT_LIMITS
from users.schemas import ImportRead

OWNER_PATH: Final = "/internal/owner"
"""The path of everything that the tasks service stores of the user."""

EXPORT_CHUNK_SECONDS: Final = 5.0
"""How long an export may pause."""

EARLY_RESPONSE_POLL_SECONDS: Final = 0.25
"""How often an import checks for an early response while its client sends nothing."""

IMPORT_RESPONSE_SECONDS: Final = 50.0
"""How long the response to a complete import may take: less than the edge waits."""

RESPONSE_MAX_BYTES: Final = 1_048_576
"""How much of a response is read that is not streamed."""

FORWARDED_PROBLEMS: Final[Mapping[int, type[ProblemError]]] = {
    400: BadRequest,
    408: RequestTimeout,
    409: Conflict,
    422: Unprocessable,
}
"""Problems of the tasks service that are the client's own, by status."""

_EXPORT_TIMEOUT = httpx.Timeout(EXPORT_CHUNK_SECONDS, connect=CONNECT_SECONDS)
_IMPORT_TIMEOUT = httpx.Timeout(
    IMPORT_LIMITS.seconds_max, connect=CONNECT_SECONDS, read=IMPORT_RESPONSE_SECONDS
)


class _Problem(TypedDict):
    code: str
    detail: str
    errors: NotRequired[list[FieldError]]
    errors_omitted: NotRequired[int]


_PROBLEM = TypeAdapter(_Problem)
_IMPORT_RESULT = TypeAdapter(ImportRead)


@dataclass(frozen=True, slots=True)
class TasksConnections:
    """Connections to the tasks service."""

    calls: httpx.AsyncClient
    """Keeps its connections for the next call."""

    imports: httpx.AsyncClient
    """Opens a new connection for each import."""


class TasksClient:
    """The internal API of the tasks service, for one user and one request.

    Each method raises `Unavailable` if the service does not respond in time or as expected.
    """

    def __init__(self, connections: TasksConnections, user: User, request_id: str) -> None:
        self._connections = connections
        self._headers = call_headers(user, request_id)

    async def erase(self) -> None:
        """Delete everything of the user, who may be unknown there."""
        request = self._connections.calls.stream("DELETE", OWNER_PATH, headers=self._headers)
        with _unavailable_after_errors():
            async with asyncio.timeout(CALL_SECONDS), request as response:
                response.raise_for_status()

    @asynccontextmanager
    async def export(self) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Yield the lines of everything that the user has there, in chunks of any size.

        The first chunk has arrived when the block begins: until then the service may still prove
        unavailable, and the response can be a problem.
        """
        request = self._connections.calls.stream(
            "GET", f"{OWNER_PATH}/export", headers=self._headers, timeout=_EXPORT_TIMEOUT
        )
        with _unavailable_after_errors():
            async with request as response:
                response.raise_for_status()
                chunks = response.aiter_bytes()
                yield prepend(await anext(chunks, b""), chunks)

    async def import_(self, lines: AsyncIterator[bytes]) -> ImportRead:
        """Forward lines until the service responds, and return the result.

        Raises:
            ProblemError: A line is invalid, a limit is exceeded, or the client is too slow.
        """
        connection = _ConnectionMonitor()
        request = self._connections.imports.stream(
            "POST",
            f"{OWNER_PATH}/import",
            headers=self._headers,
            timeout=_IMPORT_TIMEOUT,
            content=_until_response(lines, connection),
            extensions={"trace": connection.trace},
        )
        with _unavailable_after_errors():
            async with request as response:
                body = await _read_body(response)
                _raise_forwarded_problem(response.status_code, body)
                response.raise_for_status()
                return _IMPORT_RESULT.validate_json(body)


def _raise_forwarded_problem(status: int, body: bytes) -> None:
    """Raise the service's problem if it is the client's own."""
    problem_class = FORWARDED_PROBLEMS.get(status)
    if problem_class is None:
        return
    problem = _PROBLEM.validate_json(body)
    raise problem_class(
        problem["code"],
        problem["detail"],
        errors=problem.get("errors", ()),
        errors_omitted=problem.get("errors_omitted", 0),
    )


class _NetworkStream(Protocol):
    def get_extra_info(self, info: str) -> object: ...


class _ConnectionMonitor:
    """Knows whether anything has arrived on the connection of one request."""

    def __init__(self) -> None:
        self._stream: _NetworkStream | None = None

    async def trace(self, event: str, details: Mapping[str, object]) -> None:
        """Note the connection when it is open. Source: HTTPX, request extensions, `trace`."""
        if event == "connection.connect_tcp.complete":
            self._stream = cast("_NetworkStream", details["return_value"])

    @property
    def is_readable(self) -> bool:
        """Whether there is a response, or the end of the connection, that has not been read."""
        return self._stream is not None and bool(self._stream.get_extra_info("is_readable"))


async def _until_response(
    chunks: AsyncIterator[bytes], connection: _ConnectionMonitor
) -> AsyncIterator[bytes]:
    """Yield chunks until the service has responded.

    HTTPX sends a body to its end before it reads. Without this, an early response would have to
    wait for the slowest client.
    """
    while True:
        chunk = await _next_chunk(chunks, connection)
        if chunk is None:
            return
        yield chunk


async def _next_chunk(chunks: AsyncIterator[bytes], connection: _ConnectionMonitor) -> bytes | None:
    """Return the next chunk, or None after the last one or when there is a response."""
    next_chunk = asyncio.ensure_future(anext(chunks, None))
    try:
        while not next_chunk.done() and not connection.is_readable:
            await asyncio.wait({next_chunk}, timeout=EARLY_RESPONSE_POLL_SECONDS)
        if connection.is_readable:
            return None
        return next_chunk.result()
    finally:
        next_chunk.cancel()
        await asyncio.gather(next_chunk, return_exceptions=True)


@asynccontextmanager
async def open_tasks_connections(url: str) -> AsyncGenerator[TasksConnections]:
    """Open clients of the tasks service for the block.

    Their connections are not limited in number: those of slow clients' imports and exports would
    otherwise block all other calls.
    """
    call_limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS)
    import_limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        create_client(url, call_limits) as calls,
        create_client(url, import_limits) as imports,
    ):
        yield TasksConnections(calls, imports)


async def _read_body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > RESPONSE_MAX_BYTES:
            raise ValueError("the response is too long")
    return body


@contextmanager
def _unavailable_after_errors() -> Generator[None]:
    try:
        yield
    except (TimeoutError, httpx.HTTPError, ValueError) as error:
        raise Unavailable("tasks-unavailable", "Tasks cannot be reached at the moment.") from error
