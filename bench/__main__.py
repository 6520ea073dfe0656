"""`make bench`: start everything, measure in turns, show the table, and keep it as JSON and as a picture."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

from bench.measure import measure
from bench.picture import picture
from bench.report import rows_of, table, to_json
from bench.stage import set_up
from devkit.platform.errors import CannotRunError
from devkit.platform.settings import CHECKOUT, VAR


class Extent(NamedTuple):
    """How much is measured, and the folder in which it is kept."""

    rounds: int
    requests: int
    folder: Path


WHOLE: Final = Extent(rounds=8, requests=800, folder=CHECKOUT / "docs")
QUICK: Final = Extent(rounds=2, requests=320, folder=VAR)
"""Two minutes on a machine with nothing else to do, for a first impression; it leaves the documents alone."""


def say(step: str) -> None:
    """Show what is being done, on one line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{step}")
    else:
        sys.stderr.write(f"{step}\n")
    sys.stderr.flush()


async def run(extent: Extent, traefik: Path | None) -> None:
    """Measure, show and keep."""
    say("starting everything")
    async with set_up(traefik) as stage:
        samples, memory = await measure(stage, extent.rounds, extent.requests, say)
    rows = rows_of(samples)
    say("")
    print(table(rows, memory))
    extent.folder.mkdir(exist_ok=True)
    (extent.folder / "performance.json").write_text(to_json(rows, memory))
    (extent.folder / "performance.svg").write_text(picture(rows))
    print(f"\nKept in {extent.folder}: performance.json, performance.svg")


def main() -> None:
    """Measure; what went wrong is said in one message."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    traefik = os.environ.get("TRAEFIK")
    try:
        asyncio.run(
            run(QUICK if parser.parse_args().quick else WHOLE, Path(traefik) if traefik else None)
        )
    except CannotRunError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
