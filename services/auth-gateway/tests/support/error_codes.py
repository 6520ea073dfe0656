"""Finds every code that the source of any service can answer with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from auth_gateway.authentication.errors import DETAILS
from common import problems as errors

ROOT = Path(__file__).parents[4]
EDGE = ROOT / "deploy/traefik/routes.yml"
REFUSALS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and hasattr(value, "title")
}

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
"""Faults that the validator finds, in its own words; the suites of the whole platform meet no other ones."""


def error_codes() -> set[str]:
    """Return the codes of all refusals, the edge's as well, and of the faults that are named in our own words."""
    sources = [
        file
        for folder in ("libs/common", "services/*")
        for file in ROOT.glob(f"{folder}/src/**/*.py")
    ]
    return set(DETAILS).union(
        _codes_of_edge(), *(_codes(ast.parse(file.read_text())) for file in sources)
    )


def _codes_of_edge() -> Iterator[str]:
    """Take the titles of all statuses for which the edge asks the gateway for a page."""
    statuses = set(map(int, re.findall(r"\b[45]\d\d\b", EDGE.read_text())))
    return (_code(name) for name in REFUSALS if getattr(errors, name).status in statuses)


def _codes(tree: ast.Module) -> Iterator[str]:
    makers = REFUSALS | {"PydanticCustomError", *_functions_that_make_refusals(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            _name(node.func) in makers or _calls_constructor_of_refusal(node)
        ):
            yield from _first_text(node)
        if (
            isinstance(node, ast.AnnAssign)
            and _name(node.target) == "CODE"
            and isinstance(node.value, ast.Constant)
        ):
            yield str(node.value.value)
        if isinstance(node, ast.Raise | ast.Return | ast.Tuple):
            yield from _usual_codes(node)


def _functions_that_make_refusals(tree: ast.Module) -> set[str]:
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and _name(node.returns) in REFUSALS
    }


def _calls_constructor_of_refusal(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "super().__init__"


def _first_text(call: ast.Call) -> Iterator[str]:
    """Take the code; a validator's own error types have underscores, ours do not."""
    first = call.args[0] if call.args else None
    for choice in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
        if (
            isinstance(choice, ast.Constant)
            and isinstance(choice.value, str)
            and "_" not in choice.value
        ):
            yield choice.value


def _usual_codes(node: ast.AST) -> Iterator[str]:
    """Take the codes of refusals that are made without one: the title of their class."""
    with_code = {
        _name(call.func) for call in ast.walk(node) if isinstance(call, ast.Call) and call.args
    }
    for name in {_name(found) for found in ast.walk(node)} & REFUSALS - with_code:
        yield _code(name)


def _code(name: str) -> str:
    title: str = getattr(errors, name).title
    return title.lower().replace(" ", "-")


def _name(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""
