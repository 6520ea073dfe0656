"""How a service ends: nobody who has a connection to it loses a request."""

import asyncio

from devkit.keys import PassportKeys
from devkit.processes import Group

from .conftest import start_sample

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: sample\r\n\r\n"


async def test_whoever_has_a_connection_is_answered_before_it_ends(
    processes: Group, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    reader, writer = await asyncio.open_connection("127.0.0.1", sample.port)
    writer.write(REQUEST)
    before = await reader.readuntil(b'{"status":"ok"}')

    sample.process.popen.terminate()
    await asyncio.sleep(0.5)
    writer.write(REQUEST)
    after = await reader.read()
    writer.close()

    assert b"connection: close" not in before
    assert after.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in after.lower()


async def test_a_service_that_nobody_is_connected_to_ends_at_once(
    processes: Group, database: str, keys: PassportKeys
) -> None:
    sample = await start_sample(processes, database, keys)
    loop = asyncio.get_running_loop()
    started = loop.time()

    await sample.process.stop()

    assert loop.time() - started < 5
