import resource
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from devkit.testing.raw_http import (
    TIMEOUT_SECONDS,
    RawResponse,
    build_request,
    parse_responses,
    send_raw,
    send_request,
)
from devkit.testing.stub_server import StubServer

FRONT_END = "https://app.example.com"
SUBJECT = "c0ffee00-0000-4000-8000-000000000001"

Upstreams: TypeAlias = tuple[StubServer, StubServer, StubServer]
"""Stubs of the tasks and the users service, and of a Better Auth server."""


@dataclass(frozen=True)
class RunningGateway:
    """A gateway process, and the stubs of its services."""

    port: int
    pid: int
    log: Path
    tasks: StubServer
    users: StubServer
    better_auth: StubServer

    async def request(
        self,
        method: str,
        path: str,
        token: str = "",
        *,
        headers: str = "",
        body: bytes = b"",
        length: int | None = None,
    ) -> RawResponse:
        """Send a request on its own connection. `headers` are whole lines."""
        data = build_request(method, path, token, headers=headers, body=body, length=length)
        return await self.send(data)

    async def send(self, data: bytes) -> RawResponse:
        """Send the bytes of one request, and return its only response."""
        return await send_request(self.port, data)

    async def get_responses(
        self,
        data: bytes,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        quiet_seconds: float | None = None,
    ) -> list[RawResponse]:
        """Send any bytes, and return all responses; the arguments are those of `send_raw`."""
        received = await send_raw(self.port, data, timeout_seconds, quiet_seconds=quiet_seconds)
        return parse_responses(received)

    @property
    def resident_bytes(self) -> int:
        """The resident memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


def statuses(responses: Iterable[RawResponse]) -> list[int]:
    """Return the status of each response."""
    return [response.status for response in responses]
