"""Sends spans to a receiver. Only this module loads OpenTelemetry's SDK."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from common.tracing.spans import EXPORTING

LAST_SPANS_SECONDS: Final = 2
"""How long the end of a service waits for its last spans to be received."""

ANSWER_MAX_BYTES: Final = 65_536
"""How much of the receiver's answer is read."""


class ReceiverSession(requests.Session):
    """Sends spans to a receiver, and reads no more of its answers than `ANSWER_MAX_BYTES`.

    A URL that leads somewhere else must not fill the memory. Redirects are not followed: headers
    may contain the receiver's password.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # proxies in the environment are ignored, as elsewhere

    def send(
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401 - the library's
    ) -> requests.Response:
        """Send a request; the response has no body left."""
        options["stream"] = True
        options["allow_redirects"] = False
        response = super().send(request, **options)
        response.raw.read(ANSWER_MAX_BYTES)
        response.close()  # an answer that was read to its end has left its connection for the next
        return response


@contextmanager
def exported_spans(service: str) -> Generator[None]:
    """Make spans in this block, and send them from a thread of its own.

    If the receiver is slow or away, spans wait in a queue of fixed length, and the oldest are lost.
    The SDK reads everything else, such as the URL of the receiver, from the variables `OTEL_…`.

    Args:
        service: The name of the service in its spans.
    """
    # One line for each batch that is lost is enough.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    # Warnings about headers would quote what a client wrote, as often as it wants.
    logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)
    exporter = OTLPSpanExporter(session=ReceiverSession())
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    EXPORTING.set()
    try:
        yield
    finally:
        EXPORTING.clear()
        # In a thread, because the processor itself would wait for up to 30 s.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_SPANS_SECONDS)
