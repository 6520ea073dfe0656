"""OpenTelemetry spans of requests, statements and calls to other services.

No span contains what a user wrote: no path, query, body, header, SQL value or message of an error.
Without a receiver none is made. The names of attributes are those of OpenTelemetry's semantic
conventions.
"""

import re
from collections.abc import Generator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from http import HTTPMethod
from threading import Event
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from common.logging import class_name

EXPORTING: Final = Event()
"""Set when there is a receiver. To look here first keeps requests free of cost otherwise."""

REQUEST_ID: Final = "http.response.header.x-request-id"
"""The attribute that contains the request id, here and in the spans of the edge."""

TRACE_CONTEXT: Final = TraceContextTextMapPropagator()
"""Reads and writes `traceparent` and `tracestate`. Source: W3C Trace Context."""

_WRITE: Final = re.compile(r"\b(INSERT INTO|DELETE FROM|(?<!FOR )(?<!KEY )(?<!DO )UPDATE) (\w+)")
"""A write, and not `FOR UPDATE`, `FOR NO KEY UPDATE` or `ON CONFLICT … DO UPDATE`."""

_NO_SPAN: Final = nullcontext()
_TRACER: Final = trace.get_tracer("task-platform")


def request_span(method: str, parent: Context) -> AbstractContextManager[Span]:
    """Make a span of a request. `describe_request` names it as soon as its route is known."""
    method = _known_method(method)
    return _TRACER.start_as_current_span(
        method,
        parent,
        SpanKind.SERVER,
        {"http.request.method": method},
        # It would contain the error's message.
        record_exception=False,
        set_status_on_exception=False,
    )


def describe_request(
    method: str, route: str | None, status: int, request_id: str, error: str | None = None
) -> None:
    """Add what is known at the end of a request to its span.

    Args:
        method: The method as it was sent.
        route: The path template of the route; None if no route matches.
        status: The status of the response.
        request_id: The id in `X-Request-ID` of the response.
        error: What the server failed with, a class or a code; None if it did not.
    """
    if not EXPORTING.is_set():
        return
    span = trace.get_current_span()
    if route is not None:
        span.update_name(f"{_known_method(method)} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    span.set_attribute(REQUEST_ID, [request_id])
    if error is not None:
        _mark_failed(span, error)


def statement_span(text: bytes) -> AbstractContextManager[object]:
    """Make a span of a statement, and of the wait for a connection; none outside of requests."""
    if not EXPORTING.is_set():
        return _NO_SPAN
    summary = _summarize(text)
    return _client_span(summary, {"db.system.name": "postgresql", "db.query.summary": summary})


def call_span(
    method: str, host: str, headers: MutableMapping[str, str]
) -> AbstractContextManager[object]:
    """Make a span of a call to another service, and tell that service of it in the headers."""
    if not EXPORTING.is_set():
        return _NO_SPAN
    return _call_span(method, host, headers)


@contextmanager
def _call_span(method: str, host: str, headers: MutableMapping[str, str]) -> Generator[None]:
    with _client_span(method, {"http.request.method": method, "server.address": host}):
        TRACE_CONTEXT.inject(headers)
        yield


@contextmanager
def _client_span(name: str, attributes: dict[str, str]) -> Generator[None]:
    if not trace.get_current_span().is_recording():
        yield
        return
    with _TRACER.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BaseException as error:
            _mark_failed(span, class_name(error))
            raise


def _mark_failed(span: Span, error: str) -> None:
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", error)


def _known_method(method: str) -> str:
    """Return the method, or what stands for all that clients make up.

    Source: OpenTelemetry, semantic conventions for HTTP spans.
    """
    if method in HTTPMethod.__members__:
        return method
    return "_OTHER"


@lru_cache
def _summarize(text: bytes) -> str:
    """Return the writes of a statement, such as `UPDATE owners UPDATE tasks`, else its first word.

    The statement itself would be up to 20 kB in every span.
    """
    words = " ".join(text.decode().split())
    writes = dict.fromkeys(" ".join(write) for write in _WRITE.findall(words))
    if writes:
        return " ".join(writes)
    first_word, _, _ = words.partition(" ")
    return first_word.replace("WITH", "SELECT")
