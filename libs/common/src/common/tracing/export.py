"""Sends spans to a receiver. Only this module loads OpenTelemetry's SDK."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import Final

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from common.tracing.spans import EXPORTING

LAST_SPANS_SECONDS: Final = 2
"""How long the end of a service waits for its last spans to be received."""


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
    session = requests.Session()
    session.trust_env = False  # proxies in the environment are ignored, as elsewhere
    exporter = OTLPSpanExporter(session=session)
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
