"""Files and functions stay short enough to be read at once; checks are rarely silenced.

There is no limit for a package: it would make people pack lines.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import ROOT, python_files

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
HANDLER_LINES_MAX = 12
SUPPRESSIONS_MAX_PER_1000_LINES = 2

ROUTE_DECORATORS = {"get", "post", "put", "patch", "delete", "api_route"}
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)")
TABLE_NAME = re.compile(r"\s*__tablename__\b")
"""SQLModel declares `__tablename__` so that pyright rejects it: such lines do not count."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Function):
            yield node


def line_count(statements: list[ast.stmt]) -> int:
    if not statements:
        return 0
    first_line = statements[0].lineno
    last_line = statements[-1].end_lineno or first_line
    return last_line - first_line + 1


def is_handler(function: Function) -> bool:
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        called = decorator.func
        if isinstance(called, ast.Attribute) and called.attr in ROUTE_DECORATORS:
            return True
    return False


def body_without_docstring(function: Function) -> list[ast.stmt]:
    if ast.get_docstring(function):
        return function.body[1:]
    return function.body


def location(file: Path, function: Function) -> str:
    return f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"


def test_a_file_has_at_most_400_lines() -> None:
    long_files: list[str] = []
    for file in python_files():
        lines = len(file.read_text().splitlines())
        if lines > FILE_LINES_MAX:
            long_files.append(f"{file.relative_to(ROOT)}: {lines}")

    assert long_files == []


def test_a_function_has_at_most_50_lines() -> None:
    """Docstrings do not count: those of statements list their stages.

    Migrations are left out: they are lists of steps, whose length says nothing.
    """
    long_functions: list[str] = []
    for file in python_files():
        if "migrations" in file.parts:
            continue
        for function in functions(file):
            if line_count(body_without_docstring(function)) > FUNCTION_LINES_MAX:
                long_functions.append(location(file, function))

    assert long_functions == []


def test_the_body_of_a_handler_has_at_most_12_lines() -> None:
    handlers = 0
    long_handlers: list[str] = []
    for file in python_files():
        if "src" not in file.parts:
            continue
        for function in functions(file):
            if is_handler(function):
                handlers += 1
                if line_count(body_without_docstring(function)) > HANDLER_LINES_MAX:
                    long_handlers.append(location(file, function))

    assert handlers
    assert long_handlers == []


def test_checks_are_silenced_less_than_twice_in_1000_lines() -> None:
    line_total = 0
    suppressions: list[str] = []
    for file in python_files():
        for line in file.read_text().splitlines():
            line_total += 1
            if SUPPRESSION.search(line) and not TABLE_NAME.match(line):
                suppressions.append(f"{file.relative_to(ROOT)}: {line.strip()}")

    assert len(suppressions) < SUPPRESSIONS_MAX_PER_1000_LINES * line_total / 1000, suppressions
