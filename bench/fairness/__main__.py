"""`make bench fairness=1`: attack the platform as one user, and measure what others notice."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.fairness import honest
from bench.fairness.attack import Attack
from bench.fairness.attacks import ATTACKS
from bench.fairness.client import Attacker
from bench.fairness.memory import peak_mebibytes
from bench.fairness.report import (
    Result,
    render_goals,
    render_results,
    summarize,
    summary_line,
)
from bench.fairness.testbed import Testbed, start_testbed
from bench.progress import report_progress
from bench.testbed import traefik_program
from devkit.platform.errors import CannotRunError

ATTACK_SECONDS: Final = 12.0
"""How long an attack lasts: longer than any deadline of the services."""


def select_attacks(only: str) -> list[Attack]:
    """Return the attacks whose group or name has one of the words in it; all if there is no word.

    Args:
        only: Words, separated by commas.

    Raises:
        CannotRunError: There is no such attack.
    """
    words = [word.strip() for word in only.split(",") if word.strip()]
    if not words:
        return list(ATTACKS)
    attacks = [attack for attack in ATTACKS if _has_word(attack, words)]
    if not attacks:
        raise CannotRunError(f"No attack is in a group or has a name with {only!r} in it.")
    return attacks


def _has_word(attack: Attack, words: Sequence[str]) -> bool:
    text = f"{attack.group} {attack.name}"
    return any(word in text for word in words)


async def measure(testbed: Testbed, attack: Attack, seconds: float) -> Result:
    """Start the services, let honest users work, attack, and summarize what the users observed."""
    async with testbed.services() as services:
        attacker = testbed.add_attacker(services, attack.data)
        load = honest.Load(services.url, seconds, testbed.add_honest_users())
        process = await honest.start(load)
        await _attack(attack, attacker, seconds)
        observations = await honest.finish(process)
        peaks = peak_mebibytes(services.all)
        return summarize(attack.name, observations, peaks, attacker.outcomes)


async def _attack(attack: Attack, attacker: Attacker, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await attack.run(attacker)


async def run(
    attacks: Sequence[Attack], seconds: float, traefik: Path | None, results: list[Result]
) -> None:
    """Measure the attacks one after the other.

    Args:
        attacks: Attacks in their order.
        seconds: How long each lasts.
        traefik: Traefik's program; without it the gateway runs in proxy mode.
        results: Each result is appended as soon as it is known, so that an interrupt loses none.
    """
    async with start_testbed(traefik) as testbed:
        for number, attack in enumerate(attacks, 1):
            step = f"{number} of {len(attacks)}: {attack.name}"
            report_progress(step)
            result = await measure(testbed, attack, seconds)
            results.append(result)
            report_progress(f"{step}: {summary_line(result)}")


def main() -> None:
    """Measure and print the table; an error is one message without a traceback."""
    parser = argparse.ArgumentParser(prog="make bench fairness=1", description=__doc__)
    parser.add_argument("--only", default="", help="groups or words of names, comma-separated")
    parser.add_argument(
        "--seconds", type=float, default=ATTACK_SECONDS, help="how long each attack lasts"
    )
    parser.add_argument("--strict", action="store_true", help="end with 1 when a goal is missed")
    arguments = parser.parse_args()
    results: list[Result] = []
    try:
        attacks = select_attacks(arguments.only)
        with suppress(KeyboardInterrupt):  # what was measured until then is printed all the same
            asyncio.run(run(attacks, arguments.seconds, traefik_program(), results))
    except CannotRunError as error:
        sys.exit(f"\n{error}")
    report_progress("")
    print(render_results(results))
    print(f"\n{render_goals()}")
    if arguments.strict and any(result.missed_goals for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
