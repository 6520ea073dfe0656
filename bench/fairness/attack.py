"""What an attack is, and the few shapes that most of them have."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bench.fairness.client import Attacker, Read, Request, read_all
from bench.fairness.dataset import Data

PAUSE_SECONDS: Final = 0.05
"""Between two tries of a client that starts anew as soon as it is done."""

Run = Callable[[Attacker], Awaitable[None]]
"""Attacks until it is cancelled, or until it has done all that it does."""


@dataclass(frozen=True)
class Attack:
    """One thing that one user does to the platform."""

    group: str
    """What it is chosen by: `texts`, `lists`, `uploads`, `connections` or `writes`."""

    name: str
    run: Run
    data: Data = Data.FEW


def repeat(per_second: float, request: Request, read: Read = read_all) -> Run:
    """Send a request so often, whether or not those before it are answered."""

    async def run(attacker: Attacker) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(attacker.send(request, read))
                await asyncio.sleep(1 / per_second)

    return run


def leave_early(per_second: float, request: Request, after_seconds: float) -> Run:
    """Send a request so often, and leave before the response is there."""

    async def send_and_leave(attacker: Attacker) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(after_seconds):
                await attacker.send(request)
        attacker.outcomes["left"] += 1

    async def run(attacker: Attacker) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(send_and_leave(attacker))
                await asyncio.sleep(1 / per_second)

    return run


def together(count: int, request: Request, read: Read = read_all) -> Run:
    """Send a request on so many connections at once, and again on each as soon as it is answered."""

    async def go_on(attacker: Attacker) -> None:
        while True:
            await attacker.send(request, read)
            await asyncio.sleep(PAUSE_SECONDS)

    async def run(attacker: Attacker) -> None:
        await asyncio.gather(*(go_on(attacker) for _ in range(count)))

    return run


def once(count: int, request: Request, read: Read = read_all) -> Run:
    """Send a request on so many connections at once, and never again."""

    async def run(attacker: Attacker) -> None:
        await asyncio.gather(*(attacker.send(request, read) for _ in range(count)))

    return run
