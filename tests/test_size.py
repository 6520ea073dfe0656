"""Nothing grows until it cannot be seen at a glance."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "conftest.py",
    ROOT / "deploy" / "compose.py",
    ROOT / "docs" / "sync_client.py",
    *(file for folder in ("libs", "services", "tests", "e2e", "bench") for file in (ROOT / folder).rglob("*.py")),
]

VERBS = {"get", "post", "put", "patch", "delete", "api_route"}
IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)")
TABLE_NAME = re.compile(r"\s*__tablename__\b")
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Function):
            yield node


def lines_of(nodes: list[ast.stmt]) -> int:
    return (nodes[-1].end_lineno or 0) - nodes[0].lineno + 1 if nodes else 0


def is_handler(function: Function) -> bool:
    calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in VERBS for call in calls)


def body_without_docstring(function: Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) else function.body


def lines_of_code(file: Path) -> int:
    """Count lines without blanks, comments and docstrings."""
    text = file.read_text()
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in NOT_CODE]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def where(file: Path, function: Function) -> str:
    return f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"


def test_a_file_has_at_most_300_lines() -> None:
    assert [file for file in FILES if len(file.read_text().splitlines()) > 300] == []


def test_a_function_has_at_most_25_lines() -> None:
    """A migration is no more than a list: its length says nothing."""
    files = [file for file in FILES if "migrations" not in file.parts]

    assert [where(file, each) for file in files for each in functions(file) if lines_of([each]) > 25] == []


def test_the_body_of_a_handler_has_at_most_6_lines() -> None:
    handlers = [(file, each) for file in FILES if "src" in file.parts for each in functions(file) if is_handler(each)]

    assert handlers
    assert [where(file, each) for file, each in handlers if lines_of(body_without_docstring(each)) > 6] == []


def test_what_services_share_has_at_most_500_lines_of_code() -> None:
    shared = list((ROOT / "libs" / "common" / "src").rglob("*.py"))

    assert 0 < sum(map(lines_of_code, shared)) <= 500


def test_checks_are_silenced_less_than_twice_in_1000_lines() -> None:
    lines = [line for file in FILES for line in file.read_text().splitlines()]
    silenced = [line for line in lines if IGNORE.search(line) and not TABLE_NAME.match(line)]

    assert len(silenced) < 2 * len(lines) / 1000, silenced
