"""The HTTP server, with a shutdown that responds to every request of an open connection."""

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
"""How long requests are still accepted after SIGTERM.

An edge that checks the health every one or two seconds uses another instance by then.
"""

FIRST_REQUEST_POLLS: Final = 200
"""How often to check whether new connections have sent their requests."""

POLL_SECONDS: Final = 0.01
"""Time between two of these checks; all together take two seconds."""

HANDSHAKE_SECONDS: Final = 0.1
"""How long the handshake of a connection may take."""

SO_ATTACH_FILTER: Final = 26
"""The socket option for a packet filter, which Python's `socket` does not define.

Source: Linux, socket(7).
"""

_TCP_FLAGS_OFFSET: Final = 13
_SYN: Final = 0x02
_SYN_OR_ACK: Final = 0x12

_DROP_NEW_CONNECTIONS: Final = (
    (0x30, 0, 0, _TCP_FLAGS_OFFSET),  # load the byte with the flags
    (0x54, 0, 0, _SYN_OR_ACK),  # select SYN and ACK
    (0x15, 0, 1, _SYN),  # if SYN alone is set, go on, else skip one
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # let it pass
)
"""A classic BPF program: code, jump if true, jump if false, operand.

Source: Linux, Documentation/networking/filter.
"""


class Server(uvicorn.Server):
    """Uvicorn's server, with a shutdown that loses no request.

    An edge that knows this process by its IP address learns from `/healthz` that it is about to
    end. An edge that knows it by a name shared with other replicas opens connections until they are
    refused. At that moment the kernel has accepted some that the process has not, and some
    requests are on their way.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown; the signal is not raised again, because to end is a success."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening without losing a connection; close each one after a response."""
        SHUTTING_DOWN.set()
        self.server_state.default_headers.append((b"connection", b"close"))
        if self.server_state.connections:
            await asyncio.sleep(DRAIN_SECONDS)
        await self._stop_listening()
        await self._wait_for_first_requests()
        await super().shutdown(sockets)

    async def _stop_listening(self) -> None:
        """Stop accepting new connections, after taking over those that the kernel has accepted.

        Closing a listening socket resets accepted connections. So a duplicate keeps it open while
        the event loop closes its own, and is emptied before it is closed. No connection may arrive
        in between, so new ones are ignored first: their clients retry a second later, and are
        refused.
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
                    connection, _ = listener.accept()
                    accepted.append(connection)
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
        """Create the protocol of a connection, as uvicorn does for those that it accepts itself."""
        protocol_class = cast("type[HttpToolsProtocol]", self.config.http_protocol_class)
        return protocol_class(self.config, self.server_state, self.lifespan.state)

    async def _wait_for_first_requests(self) -> None:
        for _ in range(FIRST_REQUEST_POLLS):
            if not self._has_new_connections():
                return
            await asyncio.sleep(POLL_SECONDS)

    def _has_new_connections(self) -> bool:
        connections = cast("set[HttpToolsProtocol]", self.server_state.connections)
        for connection in connections:
            if cast("object", connection.cycle) is None:
                return True
        return False


def ignore_new_connections(listener: socket.socket) -> None:
    """Drop the packets that open a connection.

    Only Linux can do so; on other systems a connection may be reset during the shutdown.
    """
    if sys.platform != "linux":
        return
    program = b""
    for code, jump_if_true, jump_if_false, operand in _DROP_NEW_CONNECTIONS:
        program += struct.pack("HBBI", code, jump_if_true, jump_if_false, operand)
    memory = ctypes.create_string_buffer(program)
    pointer_to_program = struct.pack("HL", len(_DROP_NEW_CONNECTIONS), ctypes.addressof(memory))
    with suppress(OSError):  # a sandbox may not support filters
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer_to_program)
