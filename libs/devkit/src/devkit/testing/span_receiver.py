"""A receiver of OpenTelemetry traces (OTLP over HTTP, protobuf)."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from devkit.testing.stub_server import ReceivedRequest, StubServer, json_response

SPANS_SECONDS: Final = 20
"""How long spans may take to arrive: senders collect them for five seconds."""

Value = str | int | list[str]


@dataclass(frozen=True)
class ReceivedSpan:
    """A span; ids are hexadecimal, and `parent_id` is empty without a parent."""

    service: str
    kind: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Value]
    is_error: bool


class SpanReceiver(StubServer):
    """A receiver that keeps all spans.

    Attributes:
        spans: The spans, in the order in which they arrived.
        payload: All bytes that arrived, decompressed.
    """

    def reset(self) -> None:
        """Receive spans again, and forget those that have arrived."""
        super().reset()
        self.behaviour = self._receive
        self.spans: list[ReceivedSpan] = []
        self.payload = b""

    @property
    def url(self) -> str:
        """What `OTEL_EXPORTER_OTLP_ENDPOINT` must be."""
        return f"http://127.0.0.1:{self.port}"

    async def wait_for_spans(self, are_complete: Callable[[list[ReceivedSpan]], bool]) -> None:
        """Wait until the spans are what a test expects."""
        async with asyncio.timeout(SPANS_SECONDS):
            while not are_complete(self.spans):
                self.request_received.clear()
                await self.request_received.wait()

    async def _receive(self, request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        body = await request.body()
        if request.line != "POST /v1/traces HTTP/1.1":
            writer.write(json_response(status="404 Not Found"))
            return
        if request.header_values("content-encoding") == ["gzip"]:
            body = gzip.decompress(body)
        self.payload += body
        self.spans += _parse(body)
        writer.write(json_response(b""))
        self.request_received.set()


@asynccontextmanager
async def run_span_receiver() -> AsyncGenerator[SpanReceiver]:
    """Run a receiver until the block ends."""
    receiver = SpanReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


def _parse(body: bytes) -> list[ReceivedSpan]:
    spans: list[ReceivedSpan] = []
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _attributes(resource_spans.resource.attributes)["service.name"]
        for scope_spans in resource_spans.scope_spans:
            for message in scope_spans.spans:
                spans.append(_to_span(str(service), message))
    return spans


def _to_span(service: str, message: SpanMessage) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        kind=SpanMessage.SpanKind.Name(message.kind).removeprefix("SPAN_KIND_"),
        name=message.name,
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_id=message.parent_span_id.hex(),
        attributes=_attributes(message.attributes),
        is_error=message.status.code == Status.STATUS_CODE_ERROR,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    if value.HasField("array_value"):
        return [item.string_value for item in value.array_value.values]
    if value.HasField("int_value"):
        return value.int_value
    return value.string_value
