"""All attacks, by what they abuse. Each stays below the edge's default limits: 100 requests a second."""

from typing import Final

from bench.fairness.attack import Attack
from bench.fairness.attacks import connections, lists, texts, uploads, writes
from bench.fairness.client import Attacker


async def _nothing(_: Attacker) -> None:
    """Leave the others alone: what they then see is what the other rows are compared with."""


ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("none", "none", _nothing),
    *texts.ATTACKS,
    *lists.ATTACKS,
    *uploads.ATTACKS,
    *connections.ATTACKS,
    *writes.ATTACKS,
)
"""In the order of the table."""
