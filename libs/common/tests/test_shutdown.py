"""The shutdown of a service: no request of an open connection is lost."""

import asyncio
import signal
import socket

import pytest

from common.server import ignore_new_connections
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup

from .conftest import start_sample

WORK = b"GET /version HTTP/1.1\r\nHost: sample\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: sample\r\n\r\n"

CONNECTION_REFUSED = b"refused"
"""The result for a connection that was refused; its client can use another instance."""

BETWEEN_SECONDS = 0.002
"""Pause between two connections."""

THINKING_SECONDS = 0.05
"""Pause between connection and request: at any moment some connections have sent nothing."""


async def connect_and_request(port: int) -> bytes:
    """Send a request over a new connection, and return the response."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return CONNECTION_REFUSED
    await asyncio.sleep(THINKING_SECONDS)
    writer.write(WORK)
    response = await reader.read()
    writer.close()
    return response


async def test_an_open_connection_gets_its_response_before_the_end(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    reader, writer = await asyncio.open_connection("127.0.0.1", sample.port)
    writer.write(WORK)
    before = await reader.readuntil(b"}")

    sample.process.popen.terminate()
    await asyncio.sleep(0.5)
    writer.write(WORK)
    after = await reader.read()
    writer.close()

    assert b"connection: close" not in before
    assert after.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in after.lower()


async def test_a_service_that_is_about_to_end_is_not_healthy(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    _, connected = await asyncio.open_connection("127.0.0.1", sample.port)

    sample.process.popen.terminate()
    await asyncio.sleep(0.5)
    reader, health_writer = await asyncio.open_connection("127.0.0.1", sample.port)
    health_writer.write(HEALTH)
    response = await reader.read()
    for writer in (connected, health_writer):
        writer.close()

    assert response.startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("has_connections", [False, True])
async def test_a_signal_ends_the_service_with_status_0(
    processes: ProcessGroup,
    database: str,
    keys: PassportKeys,
    signal_number: signal.Signals,
    *,
    has_connections: bool,
) -> None:
    sample = await start_sample(processes, database, keys)
    writers: list[asyncio.StreamWriter] = []
    if has_connections:
        _, writer = await asyncio.open_connection("127.0.0.1", sample.port)
        writer.write(WORK)
        writers.append(writer)
        await asyncio.sleep(0.2)

    sample.process.popen.send_signal(signal_number)
    status = await asyncio.to_thread(sample.process.popen.wait, 20)
    for writer in writers:
        writer.close()

    assert status == 0
    assert "Traceback" not in sample.process.log.read_text()


async def test_a_service_without_connections_ends_at_once(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    loop = asyncio.get_running_loop()
    started_at = loop.time()

    await sample.process.stop()

    assert loop.time() - started_at < 5


async def test_every_new_connection_gets_its_response_until_the_end(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    requests = [asyncio.create_task(connect_and_request(sample.port))]

    sample.process.popen.terminate()
    while sample.process.popen.poll() is None:
        requests.append(asyncio.create_task(connect_and_request(sample.port)))
        await asyncio.sleep(BETWEEN_SECONDS)
    responses = await asyncio.gather(*requests)

    assert responses.count(CONNECTION_REFUSED) > 0
    assert {response[:12] for response in responses if response != CONNECTION_REFUSED} == {
        b"HTTP/1.1 200"
    }


async def test_accepted_connections_are_kept_and_later_ones_refused() -> None:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener_address = listener.getsockname()
    with socket.create_connection(listener_address) as early, socket.socket() as late:
        late.settimeout(0)

        ignore_new_connections(listener)
        connecting = asyncio.create_task(loop.sock_connect(late, listener_address))
        await asyncio.sleep(0.2)
        accepted, _ = listener.accept()
        listener.close()
        with accepted:
            early.sendall(WORK)
            received = accepted.recv(len(WORK))

        assert received == WORK
        with pytest.raises(ConnectionRefusedError):
            await connecting
