"""What an attack is, and the patterns that most attacks follow."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bench.fairness.client import Attacker, ReadResponse, Request, read_all
from bench.fairness.dataset import Dataset

PAUSE_SECONDS: Final = 0.05
"""Pause between two requests of a client that repeats them."""

Run = Callable[[Attacker], Awaitable[None]]
"""Attacks until it is cancelled, or until it has done everything."""


@dataclass(frozen=True)
class Attack:
    """One way in which one user burdens the platform."""

    group: str
    """`texts`, `lists`, `uploads`, `connections` or `writes`."""

    name: str
    run: Run
    data: Dataset = Dataset.FEW
    """What the attacker owns."""


def send_at_rate(
    per_second: float, request: Request, read_response: ReadResponse = read_all
) -> Run:
    """Send a request at a rate, whether or not earlier ones have a response."""

    async def run(attacker: Attacker) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(attacker.send(request, read_response))
                await asyncio.sleep(1 / per_second)

    return run


def disconnect_early(per_second: float, request: Request, after_seconds: float) -> Run:
    """Send a request at a rate, and close its connection before the response is there."""

    async def send_and_disconnect(attacker: Attacker) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(after_seconds):
                await attacker.send(request)
        attacker.outcomes["disconnected"] += 1

    async def run(attacker: Attacker) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(send_and_disconnect(attacker))
                await asyncio.sleep(1 / per_second)

    return run


def repeat_on_connections(
    count: int, request: Request, read_response: ReadResponse = read_all
) -> Run:
    """Send a request on `count` connections at once, and again on each after its response."""

    async def repeat(attacker: Attacker) -> None:
        while True:
            await attacker.send(request, read_response)
            await asyncio.sleep(PAUSE_SECONDS)

    async def run(attacker: Attacker) -> None:
        clients = [repeat(attacker) for _ in range(count)]
        await asyncio.gather(*clients)

    return run


def send_once(count: int, request: Request, read_response: ReadResponse = read_all) -> Run:
    """Send a request on `count` connections at once, and never again."""

    async def run(attacker: Attacker) -> None:
        clients = [attacker.send(request, read_response) for _ in range(count)]
        await asyncio.gather(*clients)

    return run
