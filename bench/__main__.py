"""`make bench`: start everything, measure, and print the table; keep it as JSON and as a chart."""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.chart import draw_chart
from bench.measure import measure
from bench.progress import report_progress
from bench.report import compare_with_baseline, render_json, render_report
from bench.testbed import start_testbed, traefik_program
from devkit.platform.errors import CannotRunError
from devkit.platform.settings import CHECKOUT, VAR


@dataclass(frozen=True)
class Extent:
    """How much is measured, and where the results are kept."""

    rounds: int
    requests: int
    """Requests of each operation on each topology in a round."""

    folder: Path


FULL: Final = Extent(rounds=8, requests=800, folder=CHECKOUT / "docs")
QUICK: Final = Extent(rounds=2, requests=320, folder=VAR)
"""For a first impression: two minutes on an idle machine. Does not change `docs/`."""


async def run(extent: Extent, traefik: Path | None) -> None:
    """Measure, print the table, and write the files.

    Args:
        extent: How much is measured.
        traefik: Traefik's program; without it forward-auth mode is left out.
    """
    report_progress("starting everything")
    async with start_testbed(traefik) as testbed:
        samples, memory = await measure(testbed, extent.rounds, extent.requests, report_progress)
    rows = compare_with_baseline(samples)
    report_progress("")
    print(render_report(rows, memory))
    extent.folder.mkdir(exist_ok=True)
    (extent.folder / "performance.json").write_text(render_json(rows, memory))
    (extent.folder / "performance.svg").write_text(draw_chart(rows))
    print(f"\nKept in {extent.folder}: performance.json, performance.svg")


def main() -> None:
    """Measure; an error is one message without a traceback."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    extent = FULL
    if parser.parse_args().quick:
        extent = QUICK
    try:
        asyncio.run(run(extent, traefik_program()))
    except CannotRunError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
