"""How a service ends: nobody who has a connection to it loses a request."""

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

REFUSED = b"refused"
"""What stands for a connection that could not be opened, so that its request can be sent elsewhere."""

BETWEEN_SECONDS = 0.002
"""How long after each other connections are opened."""

THINKING_SECONDS = 0.05
"""How long after its connection a request is sent: some are between the two at any moment."""


async def connect_and_ask(port: int) -> bytes:
    """Send a request over a new connection, and return what comes back."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return REFUSED
    await asyncio.sleep(THINKING_SECONDS)
    writer.write(WORK)
    answer = await reader.read()
    writer.close()
    return answer


async def test_whoever_has_a_connection_is_answered_before_it_ends(
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


async def test_a_service_that_is_about_to_end_says_so_to_whoever_asks(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    _, connected = await asyncio.open_connection("127.0.0.1", sample.port)

    sample.process.popen.terminate()
    await asyncio.sleep(0.5)
    reader, asking = await asyncio.open_connection("127.0.0.1", sample.port)
    asking.write(HEALTH)
    answer = await reader.read()
    for writer in (connected, asking):
        writer.close()

    assert answer.startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("has_connections", [False, True])
async def test_to_end_when_told_to_is_success(
    processes: ProcessGroup,
    database: str,
    keys: PassportKeys,
    told: signal.Signals,
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

    sample.process.popen.send_signal(told)
    status = await asyncio.to_thread(sample.process.popen.wait, 20)
    for writer in writers:
        writer.close()

    assert status == 0
    assert "Traceback" not in sample.process.log.read_text()


async def test_a_service_that_nobody_is_connected_to_ends_at_once(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    loop = asyncio.get_running_loop()
    started = loop.time()

    await sample.process.stop()

    assert loop.time() - started < 5


async def test_whoever_could_connect_is_answered_until_the_very_end(
    processes: ProcessGroup, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    asking = [asyncio.create_task(connect_and_ask(sample.port))]

    sample.process.popen.terminate()
    while sample.process.popen.poll() is None:
        asking.append(asyncio.create_task(connect_and_ask(sample.port)))
        await asyncio.sleep(BETWEEN_SECONDS)
    answers = await asyncio.gather(*asking)

    assert answers.count(REFUSED) > 0
    assert {answer[:12] for answer in answers if answer != REFUSED} == {b"HTTP/1.1 200"}


async def test_what_is_accepted_is_kept_and_what_comes_then_is_refused_not_reset() -> None:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with socket.create_connection(address) as early, socket.socket() as late:
        late.settimeout(0)

        ignore_new_connections(listener)
        connecting = asyncio.create_task(loop.sock_connect(late, address))
        await asyncio.sleep(0.2)
        accepted, _ = listener.accept()
        listener.close()
        with accepted:
            early.sendall(WORK)
            received = accepted.recv(len(WORK))

        assert received == WORK
        with pytest.raises(ConnectionRefusedError):
            await connecting
