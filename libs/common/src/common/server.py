"""The HTTP server, and how it ends: whoever could connect is answered."""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from common.health import SHUTTING_DOWN

DRAIN_SECONDS: Final = 3
"""How long, after SIGTERM, requests are still taken: by then an edge that asks every second or two asks elsewhere."""

FIRST_REQUEST_POLLS: Final = 200
"""How often new connections are looked at until their requests are there; then nobody seems to need them."""

POLL_SECONDS: Final = 0.01
"""How long after each other that is: two seconds in all."""

HANDSHAKE_SECONDS: Final = 0.1
"""How long a connection that has been begun has until it is open."""

SO_ATTACH_FILTER: Final = 26
"""The option that gives a socket a packet filter; Python's `socket` has no name for it. Source: Linux, socket(7)."""

_TCP_FLAGS_OFFSET: Final = 13
_SYN: Final = 0x02
_SYN_OR_ACK: Final = 0x12

_DROP_NEW_CONNECTIONS: Final = (
    (0x30, 0, 0, _TCP_FLAGS_OFFSET),  # load the byte with the flags
    (0x54, 0, 0, _SYN_OR_ACK),  # keep those two
    (0x15, 0, 1, _SYN),  # if it is SYN alone, go on, else skip one
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # let it pass
)
"""A classic BPF program: code, jump if true, jump if false, operand. Source: Linux, Documentation/networking/filter."""


class Server(uvicorn.Server):
    """Uvicorn's server, with an end that costs no request.

    An edge that knows this process by its address learns from `/healthz` that it is about to end. One that knows
    it by a name which other replicas share goes on to open connections until they are refused, so at that moment
    there are some that the kernel has accepted and we have not, and some whose request is on its way.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that the process is told to end; to do so is success, so the signal is not raised once more after it."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening without losing a connection, and close each one with an answer."""
        SHUTTING_DOWN.set()
        self.server_state.default_headers.append((b"connection", b"close"))
        if self.server_state.connections:
            await asyncio.sleep(DRAIN_SECONDS)
        await self._stop_listening()
        await self._wait_for_first_requests()
        await super().shutdown(sockets)

    async def _stop_listening(self) -> None:
        """Refuse new connections, after taking over those that the kernel has accepted.

        A listening socket that is closed resets those. So a duplicate keeps it open while the event loop lets go of
        it, and is emptied before it is closed. Between the two nothing may come, so new connections are ignored first:
        their clients try again a second later, and are refused.
        """
        listeners = list(self._duplicate_listeners())
        for server in self.servers:
            server.close()
        for listener in listeners:
            ignore_new_connections(listener)
        await asyncio.sleep(HANDSHAKE_SECONDS)
        accepted: list[socket.socket] = []
        for listener in listeners:
            with listener, suppress(BlockingIOError):
                while True:
                    accepted.append(listener.accept()[0])
        loop = asyncio.get_running_loop()
        for connection in accepted:
            await loop.connect_accepted_socket(self._create_protocol, connection)

    def _duplicate_listeners(self) -> Iterator[socket.socket]:
        for server in self.servers:
            for listening in server.sockets:
                duplicate = socket.fromfd(listening.fileno(), listening.family, socket.SOCK_STREAM)
                duplicate.settimeout(0)
                yield duplicate

    def _create_protocol(self) -> asyncio.Protocol:
        """Make what serves a connection, as uvicorn does for those that it accepts itself."""
        protocol_class = cast("type[HttpToolsProtocol]", self.config.http_protocol_class)
        return protocol_class(self.config, self.server_state, self.lifespan.state)

    async def _wait_for_first_requests(self) -> None:
        for _ in range(FIRST_REQUEST_POLLS):
            if not self._has_new_connections():
                return
            await asyncio.sleep(POLL_SECONDS)

    def _has_new_connections(self) -> bool:
        connections = cast("set[HttpToolsProtocol]", self.server_state.connections)
        return any(cast("object", connection.cycle) is None for connection in connections)


def ignore_new_connections(listener: socket.socket) -> None:
    """Drop what opens a connection, where the system can (Linux); elsewhere one may be reset in that moment."""
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_NEW_CONNECTIONS)
    memory = ctypes.create_string_buffer(program)
    pointer_to_program = struct.pack("HL", len(_DROP_NEW_CONNECTIONS), ctypes.addressof(memory))
    with suppress(OSError):  # a sandbox that knows no filters: to end is more important
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer_to_program)
