"""The page about the architecture names queries that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
TASKS_SOURCES = ROOT / "services" / "tasks" / "src" / "tasks"

DEFINITION = re.compile(r"^(?:def )?([A-Za-z]\w+)(?:\(|: Final)", re.MULTILINE)
"""A function or a constant at the top level of a module."""


def defined_names() -> set[str]:
    names: set[str] = set()
    for file in TASKS_SOURCES.rglob("*.py"):
        names.update(DEFINITION.findall(file.read_text()))
    return names


def guarantee_rows() -> list[str]:
    """Return the rows of the table of guarantees, without headings and separator."""
    _, _, table = PAGE.read_text().partition("| Guarantee")
    table, _, _ = table.partition("\n\n")
    return [line for line in table.splitlines()[2:] if line.startswith("|")]


def test_each_guarantee_names_the_queries_that_give_it() -> None:
    defined = defined_names()
    rows = guarantee_rows()

    assert len(rows) == 4
    for row in rows:
        last_cell = row.rsplit("|", 2)[1]
        names = set(re.findall(r"`(\w+)", last_cell))
        assert names, row
        assert names <= defined, names - defined
