"""Nothing grows until it cannot be seen at a glance."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "conftest.py",
    ROOT / "deploy" / "compose.py",
    ROOT / "docs" / "sync_client.py",
    *(
        file
        for folder in ("libs", "services", "tests", "e2e", "bench")
        for file in (ROOT / folder).rglob("*.py")
    ),
]

VERBS = {"get", "post", "put", "patch", "delete", "api_route"}
IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)")
TABLE_NAME = re.compile(r"\s*__tablename__\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Function):
            yield node


def lines_of(nodes: list[ast.stmt]) -> int:
    return (nodes[-1].end_lineno or 0) - nodes[0].lineno + 1 if nodes else 0


def is_handler(function: Function) -> bool:
    calls = (
        decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call)
    )
    return any(isinstance(call, ast.Attribute) and call.attr in VERBS for call in calls)


def body_without_docstring(function: Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) else function.body


def where(file: Path, function: Function) -> str:
    return f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"


def test_a_file_has_at_most_420_lines() -> None:
    assert [file for file in FILES if len(file.read_text().splitlines()) > 420] == []


def test_a_function_has_at_most_50_lines() -> None:
    """A migration is no more than a list: its length says nothing."""
    files = [file for file in FILES if "migrations" not in file.parts]

    assert [
        where(file, each) for file in files for each in functions(file) if lines_of([each]) > 50
    ] == []


def test_the_body_of_a_handler_has_at_most_12_lines() -> None:
    handlers = [
        (file, each)
        for file in FILES
        if "src" in file.parts
        for each in functions(file)
        if is_handler(each)
    ]

    assert handlers
    assert [
        where(file, each) for file, each in handlers if lines_of(body_without_docstring(each)) > 12
    ] == []


def test_checks_are_silenced_less_than_twice_in_1000_lines() -> None:
    lines = [line for file in FILES for line in file.read_text().splitlines()]
    silenced = [line for line in lines if IGNORE.search(line) and not TABLE_NAME.match(line)]

    assert len(silenced) < 2 * len(lines) / 1000, silenced
