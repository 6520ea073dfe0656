"""Spans of a service, as a receiver of its own gets them."""

import asyncio
import resource
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from httpx import AsyncClient

from common.server import DRAIN_SECONDS
from common.tracing.export import LAST_SPANS_SECONDS
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.testing.span_receiver import (
    SPANS_SECONDS,
    ReceivedSpan,
    SpanReceiver,
    run_span_receiver,
)
from devkit.testing.stub_server import ReceivedRequest, never_respond

from .conftest import Sample, start_sample

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
CLIENT_SPAN_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{CLIENT_SPAN_ID}-01"

PIECE = b"x" * 1_000_000
HUGE_ANSWER_BYTES = 200 * len(PIECE)

QUICK_SECONDS = 3
"""More than a request takes on a busy machine, and less than a sender waits for a receiver."""


@pytest.fixture(scope="module")
async def _receiver() -> AsyncGenerator[SpanReceiver]:
    async with run_span_receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(_receiver: SpanReceiver) -> SpanReceiver:
    """Return a receiver that has no spans yet."""
    _receiver.reset()
    return _receiver


@pytest.fixture(scope="module")
async def traced(
    _receiver: SpanReceiver, processes: ProcessGroup, database: str, keys: PassportKeys
) -> Sample:
    """Run a service that sends its spans there, ten times a second."""
    return await start_sample(
        processes,
        database,
        keys,
        OTEL_EXPORTER_OTLP_ENDPOINT=_receiver.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )


@pytest.fixture
async def client(traced: Sample) -> AsyncGenerator[AsyncClient]:
    """Create a client of this service."""
    url = f"http://127.0.0.1:{traced.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


def loaded_libraries(sample: Sample) -> str:
    """Return the paths of the files that a process has mapped, among them compiled modules."""
    return Path(f"/proc/{sample.process.popen.pid}/maps").read_text()


async def wait_for_request_spans(receiver: SpanReceiver, count: int) -> list[ReceivedSpan]:
    def have_arrived(spans: list[ReceivedSpan]) -> bool:
        return sum(span.kind == "SERVER" for span in spans) >= count

    await receiver.wait_for_spans(have_arrived)
    return [span for span in receiver.spans if span.kind == "SERVER"]


async def test_requests_and_statements_are_spans_without_what_users_wrote(
    client: AsyncClient, traced: Sample, receiver: SpanReceiver
) -> None:
    headers = {"Authorization": "Bearer secret-token", "Cookie": "a=secret-cookie"}
    headers["X-Request-ID"] = "a-request-id"
    headers["traceparent"] = TRACEPARENT
    secrets = {"q": "secret-word", "email": "secret@example.com"}

    await client.get("/healthz")
    await client.post("/rows/secret-name", params=secrets, json=secrets, headers=headers)
    failed = await client.post("/rows/secret-name", headers={"X-Request-ID": "another-id"})
    refused = await client.get("/secret-path", headers={"X-Request-ID": "the-third-id"})
    spans = await wait_for_request_spans(receiver, 3)

    assert [failed.status_code, refused.status_code] == [500, 404]
    assert [(span.service, span.name) for span in spans] == [
        ("sample", "POST /rows/{name}"),
        ("sample", "POST /rows/{name}"),
        ("sample", "GET"),
    ]
    first, second, third = spans
    assert (first.trace_id, first.parent_id) == (TRACE_ID, CLIENT_SPAN_ID)
    assert first.attributes == {
        "http.request.method": "POST",
        "http.route": "/rows/{name}",
        "http.response.status_code": 200,
        "http.response.header.x-request-id": ["a-request-id"],
    }
    assert [span.is_error for span in spans] == [False, True, False]
    assert second.attributes["error.type"] == "psycopg.errors.UniqueViolation"
    assert second.trace_id not in (TRACE_ID, third.trace_id)

    statements = [span for span in receiver.spans if span.kind == "CLIENT"]
    assert [span.name for span in statements] == ["INSERT INTO names"] * 2
    assert [span.parent_id for span in statements] == [first.span_id, second.span_id]
    assert [span.is_error for span in statements] == [False, True]
    assert b"secret" not in receiver.payload

    [*_, line] = await traced.wait_for_request_log("another-id")
    assert line["trace_id"] == second.trace_id


async def test_a_response_that_breaks_off_is_an_error(
    client: AsyncClient, receiver: SpanReceiver
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/half/broken")
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/half/slow", timeout=httpx.Timeout(5, read=0.3))
    failed, abandoned = await wait_for_request_spans(receiver, 2)

    assert failed.is_error
    assert failed.attributes["error.type"] == "builtins.RuntimeError"
    assert not abandoned.is_error
    assert abandoned.attributes["http.response.status_code"] == 499


async def test_the_client_decides_whether_its_trace_is_recorded(
    client: AsyncClient, receiver: SpanReceiver
) -> None:
    await client.get("/own-words", headers={"traceparent": f"{TRACEPARENT[:-2]}00"})
    await client.get("/own-words", headers={"traceparent": TRACEPARENT})
    [span] = await wait_for_request_spans(receiver, 1)

    assert span.trace_id == TRACE_ID


@pytest.mark.parametrize(
    ("traceparent", "tracestate"),
    [
        (TRACEPARENT, "secret word"),
        (TRACEPARENT, "a=secret,a=secret"),
        (TRACEPARENT, ",".join(f"secret{number}=1" for number in range(40))),
        (TRACEPARENT, "secret=" + "x" * 9_000),
        (TRACEPARENT + "-" + "secret" * 200, "a=b"),
        (TRACEPARENT.replace("00-", "ff-", 1), "secret"),
        ("secret\u00e9", "secret\u00e9"),
    ],
)
async def test_a_broken_trace_context_is_neither_logged_nor_exported(
    client: AsyncClient, traced: Sample, receiver: SpanReceiver, traceparent: str, tracestate: str
) -> None:
    lines_before = len(traced.process.log_lines())
    headers = {b"traceparent": traceparent.encode(), b"tracestate": tracestate.encode()}

    response = await client.get("/own-words", headers=headers)
    [_] = await wait_for_request_spans(receiver, 1)

    assert response.status_code == 200
    [line] = traced.process.log_lines()[lines_before:]
    assert "secret" not in line
    assert b"secret" not in receiver.payload


async def test_without_a_receiver_nothing_that_sends_spans_is_loaded(
    sample: Sample, traced: Sample
) -> None:
    assert "google/_upb" in loaded_libraries(traced)
    assert "google/_upb" not in loaded_libraries(sample)


async def require_quick_responses(client: AsyncClient) -> None:
    """Send requests while spans of earlier ones are being sent."""
    for _ in range(3):
        began = time.monotonic()
        response = await client.get("/rows")
        assert response.status_code == 200
        assert time.monotonic() - began < QUICK_SECONDS
        await asyncio.sleep(0.1)


def resident_bytes(sample: Sample) -> int:
    """Return how much memory a process has at the moment."""
    pages = Path(f"/proc/{sample.process.popen.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


async def test_an_answer_of_any_length_costs_no_memory(
    client: AsyncClient, traced: Sample, receiver: SpanReceiver
) -> None:
    connection_ended = asyncio.Event()

    async def respond_at_length(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(HUGE_ANSWER_BYTES // len(PIECE)):
                writer.write(PIECE)
                await writer.drain()
        except OSError:
            connection_ended.set()

    before = resident_bytes(traced)
    receiver.behaviour = respond_at_length
    await client.get("/rows")
    async with asyncio.timeout(SPANS_SECONDS):
        await connection_ended.wait()

    assert resident_bytes(traced) - before < HUGE_ANSWER_BYTES / 10


async def test_a_receiver_that_is_slow_or_away_delays_neither_requests_nor_the_end(
    client: AsyncClient, traced: Sample, receiver: SpanReceiver
) -> None:
    await receiver.stop()
    await require_quick_responses(client)

    receiver.behaviour = never_respond
    await receiver.start()
    async with asyncio.timeout(SPANS_SECONDS):
        await receiver.request_received.wait()
    await require_quick_responses(client)

    await client.aclose()
    async with asyncio.timeout(DRAIN_SECONDS + LAST_SPANS_SECONDS + QUICK_SECONDS):
        await traced.process.stop()
    assert traced.process.popen.returncode == 0
