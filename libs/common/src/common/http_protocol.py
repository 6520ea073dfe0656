"""The HTTP/1.1 server protocol of all services: uvicorn's, with limits while a request is read.

Differences from uvicorn's own:

- Request line, headers, chunk extensions and trailers are limited while they arrive, in size and
  (the head) in time.
- Trailers do not reach the application, and pipelined requests wait as bytes.
- A response of unknown length to HTTP/1.0 ends with the connection.
- An `Upgrade` is ignored, and the connection continues.
- A response before the end of the request's body closes the connection, but not before the client
  could read it.
- The work for a client that has disconnected is cancelled.
"""

import asyncio
from asyncio.events import TimerHandle
from collections import deque
from secrets import token_hex
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from common.http_cycle import DISCARDED_TRAILERS, RequestCycle
from common.logging import log
from common.metrics import count_request
from common.middleware import HEADERS_MAX_BYTES, URL_MAX_BYTES, complete_headers
from common.problems import BadRequest, HeadersTooLarge, ProblemError, UriTooLong, problem_response
from common.request_state import DISCONNECTED_KEY

FRAMING_MAX_BYTES: Final = 2 * HEADERS_MAX_BYTES
"""Bytes of one request that are not body; `RequestMiddleware` limits complete heads further."""

FRAMING_BYTES_PER_BODY_BYTE: Final = 8
"""Chunks of one byte have six framing bytes each; this is a little more."""

PIECE_BYTES: Final = 16_384
"""Bytes that are read between two checks of the limits."""

PENDING_MAX_BYTES: Final = 65_536
"""Bytes of later requests that are kept before reading from the client is paused."""

HEAD_SECONDS: Final = 10.0
"""How long a head may take from its first byte to its last."""

STALL_SECONDS: Final = 60.0
"""How long a client may read nothing of its response."""

LINGER_SECONDS: Final = 2.0
"""How long input is discarded after a response that ends the connection.

Source: RFC 9112, 9.6.
"""

UNSAFE_GRACE_SECONDS: Final = 0.4
"""How long a change continues after its client has disconnected.

A user who closes a page has often just saved it.
"""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._framing_bytes = 0
        self._is_reading_head = False
        self._is_upgrade = False
        self._ignores_input = False
        self._pending_bytes = b""
        self._last_read: RequestCycle | None = None
        """The request that is parsed, or was parsed last."""

        self._responding_to: RequestCycle | None = None
        """The request that the application serves."""

        self._pipelined: deque[RequestCycle] = deque()
        self._task: asyncio.Task[None] | None = None
        self._problem: ProblemError | None = None
        self._head_timer: TimerHandle | None = None
        self._stall_timer: TimerHandle | None = None

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request as long as each later one."""
        super().connection_made(transport)
        self._close_later(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the work for the client."""
        super().connection_lost(exc)
        self._ignores_input = True
        self._pending_bytes = b""
        self._pipelined.clear()
        self._unset_keepalive_if_required()
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        cycle = self._responding_to
        if cycle is not None and self._task is not None and not cycle.response_complete:
            self._cancel(cycle, self._task)

    def data_received(self, data: bytes) -> None:
        """Parse input, or keep it until the responses to earlier requests are sent."""
        if self._ignores_input:
            return
        self._unset_keepalive_if_required()
        if self._pending_bytes or self._pipelined:
            self._keep_for_later(data)
        elif len(data) <= PIECE_BYTES:
            self._read(data)
        else:
            self._read_in_pieces(data)
        self._limit_head_time()

    def pause_writing(self) -> None:
        """Wait for a slow client, but not for ever."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # Reading

    def _read_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            if self._ignores_input:
                return
            if self._pipelined:
                self._keep_for_later(data[start:])
                return
            self._read(data[start : start + PIECE_BYTES])

    def _read(self, piece: bytes) -> None:
        """Parse a piece, and check the framing bytes; a body's unused allowance is not saved up."""
        self._framing_bytes += len(piece)
        self._feed(piece)
        if self._framing_bytes < 0:
            self._framing_bytes = 0
        elif self._framing_bytes > FRAMING_MAX_BYTES and not self._ignores_input:
            if self._is_reading_head and len(self.url) > URL_MAX_BYTES:
                self._reject(UriTooLong())
            else:
                self._reject(HeadersTooLarge())

    def _feed(self, piece: bytes) -> None:
        """Parse; after a request for another protocol, continue in this one.

        Source: RFC 9110, 7.8.
        """
        while piece and not self._ignores_input:
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as stop:
                rest = piece[stop.args[0] :]
                piece = self._read_on_after_upgrade() + rest
            except httptools.HttpParserError:
                self._reject(BadRequest())
            else:
                return

    def _read_on_after_upgrade(self) -> bytes:
        """Return the head again without `Upgrade`, for a new parser.

        The old parser takes the body for bytes of the other protocol. After CONNECT, input is
        ignored.
        """
        if not self._is_upgrade:
            self._ignores_input = True
            return b""
        method = self.parser.get_method()
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join([*lines, b"", b""])

    def _keep_for_later(self, data: bytes) -> None:
        self._pending_bytes += data
        if len(self._pending_bytes) > PENDING_MAX_BYTES:
            self.flow.pause_reading()

    def _limit_head_time(self) -> None:
        """Limit the time of a head that has begun, and of anything sent instead of one."""
        is_idle = self._last_read is None or self._last_read.response_complete
        if self._is_reading_head or is_idle:
            if self._head_timer is None and not self._ignores_input:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._abort_head)
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _abort_head(self) -> None:
        self._ignores_input = True
        if self._last_read is None or self._last_read.response_complete:
            self.transport.close()
        else:
            self._last_read.keep_alive = False  # earlier requests get their responses

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin to parse a head."""
        super().on_message_begin()
        self._is_reading_head = True
        self._is_upgrade = False

    def on_headers_complete(self) -> None:
        """Start a request, or let it wait for earlier ones."""
        self._is_reading_head = False
        method: bytes = self.parser.get_method()
        is_tunnel = method == b"CONNECT"
        if self.parser.should_upgrade() and not is_tunnel:
            self._is_upgrade = True
            return
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = method.decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        self.headers = DISCARDED_TRAILERS
        before = self._last_read
        cycle = RequestCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and not is_tunnel and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.is_http_1_0 = version == "1.0"
        self.cycle = cycle
        self._last_read = cycle
        if before is None or before.response_complete:
            self._start(cycle)
        else:
            self._pipelined.append(cycle)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body until the application receives it."""
        self._framing_bytes -= (1 + FRAMING_BYTES_PER_BODY_BYTE) * len(body)
        cycle = self._last_read
        if cycle is not None and not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Note that the body has ended."""
        if self._is_upgrade:
            return
        self._framing_bytes = 0
        cycle = self._last_read
        if cycle is not None and not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    # Responding

    def _start(self, cycle: RequestCycle) -> None:
        self._responding_to = cycle
        app = cast("ASGI3Application", self.app)  # pyright: ignore[reportUnknownMemberType]
        task = self.loop.create_task(cycle.run_asgi(app))
        self._task = task
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """Continue with the next request, or end the connection."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        cycle = self._responding_to
        if cycle is not None and cycle.is_early and cycle.more_body:
            self._linger()
            return
        self.flow.resume_reading()
        if self._pipelined:
            self._start(self._pipelined.popleft())
        elif self._problem is not None:
            self._send_problem(self._problem)
        else:
            self._close_later(self.timeout_keep_alive)
        if self._pending_bytes and not self._pipelined:
            pending = self._pending_bytes
            self._pending_bytes = b""
            self.data_received(pending)

    def _cancel(self, cycle: RequestCycle, task: asyncio.Task[None]) -> None:
        """Cancel a request whose client has disconnected: a read at once, a change later."""
        cycle.disconnected = True
        cycle.message_event.set()
        cast("dict[str, object]", cycle.scope)[DISCONNECTED_KEY] = True
        if cycle.scope["method"] in _SAFE_METHODS:
            task.cancel()
        else:
            self.loop.call_later(UNSAFE_GRACE_SECONDS, task.cancel)

    def _reject(self, problem: ProblemError) -> None:
        """Stop reading, and send the problem after the responses to earlier requests."""
        self._ignores_input = True
        last = self._last_read
        is_broken = last is not None and last.more_body and not self._is_reading_head
        if last is None or last.response_complete:
            self._send_problem(problem)
        elif is_broken and last is self._responding_to:
            self._break_off(last, problem)
        else:
            self._problem = problem
            if is_broken:
                self._pipelined.pop()

    def _break_off(self, cycle: RequestCycle, problem: ProblemError) -> None:
        """Send the problem for the request that the application serves at the moment."""
        if cycle.response_started:
            self.transport.close()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._send_problem(problem)

    def _send_problem(self, problem: ProblemError) -> None:
        """Send a problem document, and count and log it: no application does."""
        request_id = token_hex(16)
        document = problem_response(problem, request_id)
        headers = complete_headers(document.raw_headers, request_id)
        fields = [*self.server_state.default_headers, *headers, (b"connection", b"close")]
        head = STATUS_LINE[problem.status] + b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(head + b"\r\n" + document.body)
        count_request("other", None, problem.status, 0)
        log("info", "request", request_id=request_id, status=problem.status, reason=problem.code)
        self._linger()

    def _linger(self) -> None:
        """Close our side, and the connection when the client closes its own.

        Closing it while input arrives would reset it, and the client could lose the response.
        """
        self._ignores_input = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self._close_later(LINGER_SECONDS)

    def _close_later(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )
