"""The page about the architecture names statements that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
QUERIES = ROOT / "services" / "tasks" / "src" / "tasks"


def test_each_guarantee_names_the_statements_that_give_it() -> None:
    defined = {
        name
        for path in QUERIES.rglob("*.py")
        for name in re.findall(
            r"^(?:def )?([A-Za-z]\w+)(?:\(|: Final)", path.read_text(), re.MULTILINE
        )
    }
    _, *rows = re.findall(
        r"^\|.*\|$", PAGE.partition("| Guarantee")[2].partition("\n\n")[0], re.MULTILINE
    )
    named = [re.findall(r"`(\w+)", row.rsplit("|", 2)[1]) for row in rows]

    assert len(named) == 4
    assert all(names and set(names) <= defined for names in named)
