"""The other service that this one asks: tasks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NotRequired

import httpx
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from common.errors import BadRequest, Conflict, Fault, Refusal, Unavailable, Unprocessable
from common.identity import User
from users.lines import joined
from users.schemas import ImportRead

ADDRESS: Final = "/internal/owner"
"""Where it keeps what belongs to a user."""

CONNECT_SECONDS: Final = 0.5
"""How long the other service may take to accept."""

CALL_SECONDS: Final = 2.0
"""How long a whole call may take: well within the caller's own deadline."""

PIECE_SECONDS: Final = 5.0
"""How long a stream may stand still, in either direction."""

REPORT_SECONDS: Final = 50.0
"""How long the other service may take for what it got: less than an edge waits for an answer."""

ANSWER_MAX_BYTES: Final = 1_048_576
"""What is read of an answer that is no stream."""

IDLE_SECONDS: Final = 20
"""Shorter than a service keeps idle connections, so that none dies under a call."""

PASSED_ON: Final[Mapping[int, type[Refusal]]] = {400: BadRequest, 409: Conflict, 422: Unprocessable}
"""What the other service refuses by these statuses is the client's own matter."""

_PLAIN = httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS)
_STREAMED = httpx.Timeout(PIECE_SECONDS, connect=CONNECT_SECONDS)
_REPORTED = httpx.Timeout(PIECE_SECONDS, connect=CONNECT_SECONDS, read=REPORT_SECONDS)


class _Problem(TypedDict):
    code: str
    detail: str
    errors: NotRequired[list[Fault]]
    errors_omitted: NotRequired[int]


_PROBLEM = TypeAdapter(_Problem)
_REPORT = TypeAdapter(ImportRead)


class TasksService:
    """The tasks service, as the internal network shows it, asked on behalf of one request.

    Each call raises `Unavailable` when it is away, slow, or says what nobody expects.
    """

    def __init__(self, client: httpx.AsyncClient, user: User, request_id: str) -> None:
        self._client = client
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
        asked = self._client.stream("GET", f"{ADDRESS}/export", headers=self._headers, timeout=_STREAMED)
        with _expected():
            async with asked as answer:
                answer.raise_for_status()
                pieces = answer.aiter_bytes()
                yield joined(await anext(pieces, b""), pieces)

    async def import_(self, lines: AsyncIterable[bytes]) -> ImportRead:
        """Hand on lines as they come, and return what became of them.

        Raises:
            Refusal: A line is bad, or there are too many.
        """
        asked = self._client.stream(
            "POST", f"{ADDRESS}/import", headers=self._headers, timeout=_REPORTED, content=lines
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


@asynccontextmanager
async def tasks_connections(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Keep connections to the tasks service as long as this service lives."""
    limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    async with httpx.AsyncClient(base_url=url, limits=limits, trust_env=False) as client:
        yield client


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
