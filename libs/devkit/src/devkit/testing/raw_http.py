"""A client that sends the bytes a test wants, and shows what came back."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

TIMEOUT_SECONDS: Final = 5.0
"""How long an answer may take."""

_INTERIM: Final = range(100, 200)
_WITHOUT_BODY: Final = (*_INTERIM, 204, 304)


@dataclass
class RawResponse:
    """One answer, taken apart."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for found, value in self.headers if found.lower() == name]

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
    """Write a request that ends its connection; `headers` are whole lines."""
    lines = f"{method} {target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n{headers}"
    lines += f"Authorization: Bearer {token}\r\n" if token else ""
    if body or length is not None:
        lines += f"Content-Length: {len(body) if length is None else length}\r\n"
    return lines.encode("latin-1") + b"\r\n" + body


async def send_raw(port: int, data: bytes, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """Send bytes, and return what comes back until the connection closes, or patience is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with suppress(ConnectionError, TimeoutError):
        writer.write(data)
        async with asyncio.timeout(timeout_seconds):
            while piece := await reader.read(65_536):
                received += piece
    writer.close()
    return received


def parse_responses(received: bytes) -> list[RawResponse]:
    """Take answers apart that follow each other."""
    found: list[RawResponse] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines[1:])]
        answer = RawResponse(int(lines[0].split()[1]), headers, b"")
        bodiless = answer.status in _WITHOUT_BODY
        length = (
            0 if bodiless else int("".join(answer.header_values("content-length")) or len(received))
        )
        answer.body, received = received[:length], received[length:]
        if answer.status not in _INTERIM:
            found.append(answer)
    return found


async def send_request(port: int, data: bytes) -> RawResponse:
    """Send one request, and return its one answer."""
    (answer,) = parse_responses(await send_raw(port, data))
    return answer
