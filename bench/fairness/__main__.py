"""`make bench fairness=1`: let one user attack the platform in many ways, and show what the others see of it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.__main__ import say
from bench.fairness import honest
from bench.fairness.attack import Attack
from bench.fairness.attacks import ATTACKS
from bench.fairness.client import Attacker
from bench.fairness.memory import peak_mebibytes
from bench.fairness.report import Result, goals, in_short, summarize, table
from bench.fairness.testbed import Testbed, set_up
from devkit.platform.errors import CannotRunError

ATTACK_SECONDS: Final = 12.0
"""How long an attack lasts: longer than any deadline of the services."""


def chosen(only: str) -> list[Attack]:
    """Return the attacks whose group or name has one of these words, which commas separate; all if there is none.

    Raises:
        CannotRunError: There is no such attack.
    """
    words = [word.strip() for word in only.split(",") if word.strip()]
    if not words:
        return list(ATTACKS)
    attacks = [
        attack
        for attack in ATTACKS
        if any(word in f"{attack.group} {attack.name}" for word in words)
    ]
    if not attacks:
        raise CannotRunError(f"No attack is in a group or has a name with {only!r} in it.")
    return attacks


async def measure(testbed: Testbed, attack: Attack, seconds: float) -> Result:
    """Start the services, let honest users work, attack, and count."""
    async with testbed.services() as services:
        attacker = testbed.add_attacker(services, attack.data)
        load = honest.Load(services.url, seconds, testbed.add_honest_users())
        process = await honest.start(load)
        await _attack(attack, attacker, seconds)
        sights = await honest.finish(process)
        return summarize(attack.name, sights, peak_mebibytes(services.all), attacker.outcomes)


async def _attack(attack: Attack, attacker: Attacker, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await attack.run(attacker)


async def run(
    attacks: Sequence[Attack], seconds: float, traefik: Path | None, results: list[Result]
) -> None:
    """Measure one after the other, show each as soon as it is known, and add it to the results."""
    async with set_up(traefik) as testbed:
        for number, attack in enumerate(attacks, 1):
            say(f"{number} of {len(attacks)}: {attack.name}")
            result = await measure(testbed, attack, seconds)
            results.append(result)
            say(f"{number} of {len(attacks)}: {attack.name}: {in_short(result)}")


def main() -> None:
    """Measure and show; what went wrong is said in one message."""
    parser = argparse.ArgumentParser(prog="make bench fairness=1", description=__doc__)
    parser.add_argument("--only", default="", help="groups or words of names, comma-separated")
    parser.add_argument(
        "--seconds", type=float, default=ATTACK_SECONDS, help="how long each attack lasts"
    )
    parser.add_argument("--strict", action="store_true", help="end with 1 when a goal is missed")
    arguments = parser.parse_args()
    traefik = os.environ.get("TRAEFIK")
    results: list[Result] = []
    try:
        attacks = chosen(arguments.only)
        with suppress(KeyboardInterrupt):  # what is known by then is shown all the same
            asyncio.run(
                run(attacks, arguments.seconds, Path(traefik) if traefik else None, results)
            )
    except CannotRunError as error:
        sys.exit(f"\n{error}")
    say("")
    print(table(results))
    print(f"\n{goals()}")
    if arguments.strict and any(result.missed for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
