"""Which test shows which requirement: a page made from the markers in the tests."""

import argparse
import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devkit.platform.settings import CHECKOUT

REQUIREMENTS: Final = Path("docs", "requirements.toml")
"""All ids, and what they ask for."""

PAGE: Final = Path("docs", "traceability.md")
"""What is made from them."""

FOLDERS: Final = ("libs", "services", "tests", "e2e")
"""Where tests are."""

MARKER: Final = "pytest.mark.scenario"

INTRODUCTION: Final = """\
# Which test shows which requirement

Made by `make fix` from `requirements.toml` and from the marker `scenario` of the tests; `make check` fails when it is
stale, when a requirement has no test, or when a marker names none.
"""
"""What stands above the tables."""

Evidence = Mapping[str, list[str]]
"""The tests (`file::name`) by the id of what they show."""


@dataclass(frozen=True)
class Requirement:
    """One sentence of a specification, and the part of it, if any, that no machine can judge."""

    id: str
    sentence: str
    for_people: str | None = None


@dataclass(frozen=True)
class Specification:
    """A specification's requirements, in its own order."""

    title: str
    requirements: list[Requirement]


def read_requirements(file: Path) -> list[Specification]:
    """Read what was asked for: a table for each specification, an entry for each id."""
    return [
        Specification(
            f"{name}: {table['title']}",
            [_requirement(name, key, entry) for key, entry in _entries(table)],
        )
        for name, table in tomllib.loads(file.read_text()).items()
    ]


def find_evidence(checkout: Path) -> dict[str, list[str]]:
    """Read the markers of all tests; nothing is imported or run."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for file in sorted((checkout / folder).rglob("test_*.py")):
            for test, requirement in _marks(ast.parse(file.read_text())):
                found.setdefault(requirement, []).append(
                    f"{file.relative_to(checkout).as_posix()}::{test}"
                )
    return found


def find_gaps(specifications: list[Specification], evidence: Evidence) -> list[str]:
    """Say what is not shown, and which markers mean nothing."""
    asked = [each for specification in specifications for each in specification.requirements]
    unshown = [each.id for each in asked if each.id not in evidence and not each.for_people]
    unknown = sorted(evidence.keys() - {each.id for each in asked})
    return [
        *(f"{each} is shown by no test" for each in unshown),
        *(f"{each} is no requirement: {', '.join(evidence[each])}" for each in unknown),
    ]


def render(specifications: list[Specification], evidence: Evidence) -> str:
    """Write the page."""
    return "\n".join(
        [INTRODUCTION, *(_table(specification, evidence) for specification in specifications)]
    )


def _entries(
    table: Mapping[str, str | dict[str, str]],
) -> Iterator[tuple[str, str | dict[str, str]]]:
    return ((key, entry) for key, entry in table.items() if key != "title")


def _requirement(specification: str, key: str, entry: str | dict[str, str]) -> Requirement:
    parts = {"sentence": entry} if isinstance(entry, str) else entry
    return Requirement(f"{specification}-{key}", **parts)


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each test's name with each id that is marked on it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARKER:
                    yield from (
                        (node.name, str(ast.literal_eval(argument))) for argument in decorator.args
                    )


def _table(specification: Specification, evidence: Evidence) -> str:
    lines = [f"## {specification.title}\n", "| Id | What | Shown by |", "|---|---|---|"]
    for each in specification.requirements:
        tests = [f"`{test}`" for test in evidence.get(each.id, [])]
        people = [f"For people to judge: {each.for_people}"] if each.for_people else []
        lines.append(f"| {each.id} | {each.sentence} | {'<br>'.join([*tests, *people])} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the page, and say what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m devkit.cli.traceability", description=main.__doc__
    )
    parser.add_argument(
        "--checkout", type=Path, default=CHECKOUT, help="the folder that was cloned"
    )
    checkout: Path = parser.parse_args().checkout
    specifications, evidence = read_requirements(checkout / REQUIREMENTS), find_evidence(checkout)
    (checkout / PAGE).write_text(render(specifications, evidence))
    sys.exit("\n".join(find_gaps(specifications, evidence)) or None)


if __name__ == "__main__":
    main()
