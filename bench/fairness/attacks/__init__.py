"""All attacks, by what they abuse. Each stays below the edge's default limit of 100 requests/s."""

from typing import Final

from bench.fairness.attack import Attack
from bench.fairness.attacks import connections, lists, texts, uploads, writes
from bench.fairness.client import Attacker


async def _do_nothing(_: Attacker) -> None:
    """Show what other users observe without an attack."""


_NONE: Final[tuple[Attack, ...]] = (Attack("none", "none", _do_nothing),)

ATTACKS: Final[tuple[Attack, ...]] = (
    _NONE + texts.ATTACKS + lists.ATTACKS + uploads.ATTACKS + connections.ATTACKS + writes.ATTACKS
)
"""In the order of the table."""
