"""An HTTP client that sends exactly the given bytes, and parses what comes back."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast

TIMEOUT_SECONDS: Final = 5.0
"""How long a response may take."""

BLOCK_BYTES: Final = 65_536

_BODILESS_STATUSES: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True)
class RawResponse:
    """A parsed response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header_values(self, lower_case_name: str) -> list[str]:
        """Return all values of a header."""
        return [value for name, value in self.headers if name.lower() == lower_case_name]

    @property
    def code(self) -> object:
        """The code of a problem document."""
        return cast("dict[str, object]", json.loads(self.body))["code"]


def build_request(
    method: str,
    target: str,
    token: str = "",
    *,
    headers: str = "",
    body: bytes = b"",
    length: int | None = None,
) -> bytes:
    """Return a request with `Connection: close`.

    Args:
        method: Method.
        target: Path and query.
        token: Bearer token; no `Authorization` header if empty.
        headers: Header lines, each with its line end.
        body: Body.
        length: Value of `Content-Length`; None for the length of the body.
    """
    head = f"{method} {target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n{headers}"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if length is None and body:
        length = len(body)
    if length is not None:
        head += f"Content-Length: {length}\r\n"
    return head.encode("latin-1") + b"\r\n" + body


async def send_raw(
    port: int,
    data: bytes,
    timeout_seconds: float = TIMEOUT_SECONDS,
    *,
    quiet_seconds: float | None = None,
) -> bytes:
    """Send bytes; return what comes back until the connection is closed or the time is over.

    Args:
        port: Port of 127.0.0.1.
        data: The bytes.
        timeout_seconds: How long the first bytes may take, and without `quiet_seconds` all of them.
        quiet_seconds: How long nothing comes after the last bytes of a connection that stays open.
            A busy machine is slow to begin, and not to go on.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with suppress(ConnectionError, TimeoutError):
        writer.write(data)
        async with asyncio.timeout(timeout_seconds) as limit:
            while block := await reader.read(BLOCK_BYTES):
                received += block
                if quiet_seconds is not None:
                    limit.reschedule(asyncio.get_running_loop().time() + quiet_seconds)
    writer.close()
    return received


def parse_responses(received: bytes) -> list[RawResponse]:
    """Parse consecutive responses; informational ones (1xx) are left out."""
    responses: list[RawResponse] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, headers = _parse_head(head)
        if status < HTTPStatus.OK:
            continue
        response = RawResponse(status, headers, b"")
        length = _body_length(response, len(received))
        responses.append(RawResponse(status, headers, received[:length]))
        received = received[length:]
    return responses


async def send_request(port: int, data: bytes) -> RawResponse:
    """Send one request and return its only response."""
    (response,) = parse_responses(await send_raw(port, data))
    return response


def _parse_head(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    status_line, *header_lines = head.decode("latin-1").split("\r\n")
    headers: list[tuple[str, str]] = []
    for line in header_lines:
        name, _, value = line.partition(": ")
        headers.append((name, value))
    return int(status_line.split()[1]), headers


def _body_length(response: RawResponse, received_bytes: int) -> int:
    """Return the length of the body; without `Content-Length` it is all that was received."""
    if response.status in _BODILESS_STATUSES:
        return 0
    content_length = "".join(response.header_values("content-length"))
    return int(content_length or received_bytes)
