"""Finds every problem code in the source of all services."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from auth_gateway.authentication.errors import DETAILS
from common import problems

ROOT = Path(__file__).parents[4]
EDGE_CONFIGURATION = ROOT / "deploy/traefik/routes.yml"


def _problem_classes() -> set[str]:
    names: set[str] = set()
    for name, value in vars(problems).items():
        if isinstance(value, type) and hasattr(value, "title"):
            names.add(name)
    return names


PROBLEM_CLASSES: Final = _problem_classes()

VALIDATOR_CODES: Final = frozenset(
    {
        "missing",
        "extra-forbidden",
        "json-invalid",
        "model-type",
        "list-type",
        "string-type",
        "bool-type",
        "int-type",
        "date-type",
        "uuid-type",
        "uuid-parsing",
        "bool-parsing",
        "int-parsing",
        "date-parsing",
        "time-parsing",
        "datetime-parsing",
        "cursor-parsing",
        "since-parsing",
        "literal-error",
        "greater-than-equal",
        "less-than-equal",
        "repeated",
        "utf8-invalid",
    }
)
"""Codes of Pydantic's own errors. No test of the platform produces any other."""


def error_codes() -> set[str]:
    """Return the codes of all problems, including the edge's, and of our own validation errors."""
    codes = set(DETAILS)
    codes.update(_codes_of_edge())
    for folder in ("libs/common", "services/*"):
        for file in ROOT.glob(f"{folder}/src/**/*.py"):
            codes.update(_codes_in_module(ast.parse(file.read_text())))
    return codes


def _codes_of_edge() -> Iterator[str]:
    """Yield the default codes of all statuses for which the edge fetches an error page."""
    numbers = re.findall(r"\b[45]\d\d\b", EDGE_CONFIGURATION.read_text())
    for name in PROBLEM_CLASSES:
        if str(getattr(problems, name).status) in numbers:
            yield _default_code(name)


def _codes_in_module(tree: ast.Module) -> Iterator[str]:
    constructors = PROBLEM_CLASSES | {"PydanticCustomError"}
    constructors |= _functions_that_return_problems(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            is_constructor = _name_of(node.func) in constructors
            if is_constructor or _is_super_init(node):
                yield from _first_arguments(node)
        elif isinstance(node, ast.AnnAssign) and _name_of(node.target) == "CODE":
            if isinstance(node.value, ast.Constant):
                yield str(node.value.value)
        elif isinstance(node, ast.Raise | ast.Return | ast.Tuple):
            yield from _default_codes(node)


def _functions_that_return_problems(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _name_of(node.returns) in PROBLEM_CLASSES:
            names.add(node.name)
    return names


def _is_super_init(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "super().__init__"


def _first_arguments(call: ast.Call) -> Iterator[str]:
    """Yield the codes that the first argument may be.

    Error types of Pydantic have underscores, our codes have none.
    """
    if not call.args:
        return
    argument = call.args[0]
    choices = [argument]
    if isinstance(argument, ast.IfExp):
        choices = [argument.body, argument.orelse]
    for choice in choices:
        if not isinstance(choice, ast.Constant) or not isinstance(choice.value, str):
            continue
        if "_" not in choice.value:
            yield choice.value


def _default_codes(statement: ast.AST) -> Iterator[str]:
    """Yield the codes of problem classes that a statement names without an argument."""
    names: set[str] = set()
    names_with_code: set[str] = set()
    for node in ast.walk(statement):
        names.add(_name_of(node))
        if isinstance(node, ast.Call) and node.args:
            names_with_code.add(_name_of(node.func))
    for name in names & PROBLEM_CLASSES - names_with_code:
        yield _default_code(name)


def _default_code(class_name: str) -> str:
    title: str = getattr(problems, class_name).title
    return title.lower().replace(" ", "-")


def _name_of(node: ast.AST | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return ""
