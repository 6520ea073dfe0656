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

AssignedValues = dict[str, list[ast.expr]]


def problem_codes() -> set[str]:
    """Return the codes of all problems that are raised, including the edge's."""
    codes = set(DETAILS)
    codes.update(_codes_of_edge())
    for tree in _modules():
        codes.update(_problem_codes_in_module(tree))
    return codes


def field_error_codes() -> set[str]:
    """Return the codes of our own validation errors; `validation_codes` finds Pydantic's."""
    codes: set[str] = set()
    for tree in _modules():
        codes.update(_field_error_codes_in_module(tree))
    return codes


def _modules() -> Iterator[ast.Module]:
    for folder in ("libs/common", "services/*"):
        for file in ROOT.glob(f"{folder}/src/**/*.py"):
            yield ast.parse(file.read_text())


def _codes_of_edge() -> Iterator[str]:
    """Yield the default codes of all statuses for which the edge fetches an error page."""
    numbers = re.findall(r"\b[45]\d\d\b", EDGE_CONFIGURATION.read_text())
    for name in PROBLEM_CLASSES:
        if str(getattr(problems, name).status) in numbers:
            yield _default_code(name)


def _problem_codes_in_module(tree: ast.Module) -> Iterator[str]:
    constructors = PROBLEM_CLASSES | _functions_that_return_problems(tree)
    assigned_values = _assigned_values(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            if _name_of(node.func) in constructors or _is_super_init(node):
                yield from _codes_in(node.args[0], assigned_values)
        elif isinstance(node, ast.match_case):
            yield from _codes_in_case(node, assigned_values)
        elif isinstance(node, ast.Raise | ast.Return | ast.Tuple):
            yield from _default_codes(node)


def _field_error_codes_in_module(tree: ast.Module) -> Iterator[str]:
    assigned_values = _assigned_values(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name_of(node.func)
        if name == "PydanticCustomError":
            yield from _codes_in(node.args[0], assigned_values)
        elif name == "_field_error":
            yield from _codes_in(node.args[1], assigned_values)
        elif name == "FieldError":
            yield from _codes_in(_keyword(node, "code"), assigned_values)


def _keyword(call: ast.Call, name: str) -> ast.expr:
    """Return the value of a keyword argument, unless it is a variable: those have other sources."""
    for keyword in call.keywords:
        if keyword.arg == name and not _name_of(keyword.value).islower():
            return keyword.value
    return ast.Constant(None)


def _functions_that_return_problems(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _name_of(node.returns) in PROBLEM_CLASSES:
            names.add(node.name)
    return names


def _is_super_init(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "super().__init__"


def _assigned_values(tree: ast.Module) -> AssignedValues:
    """Collect every value that a name gets, anywhere in the module. Enum members count as names."""
    values: AssignedValues = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            values.setdefault(_name_of(node.target), []).append(node.value)
        elif isinstance(node, ast.Assign):
            values.setdefault(_name_of(node.targets[0]), []).append(node.value)
    return values


def _codes_in(expression: ast.expr, assigned_values: AssignedValues) -> Iterator[str]:
    """Yield the codes that an expression may be: a text, a choice, a variable or a look-up.

    Error types of Pydantic have underscores, which responses show as hyphens.
    """
    if isinstance(expression, ast.Constant):
        if isinstance(expression.value, str):
            yield expression.value.replace("_", "-")
        return
    for value in _possible_values(expression, assigned_values):
        yield from _codes_in(value, assigned_values)


def _possible_values(expression: ast.expr, assigned_values: AssignedValues) -> Iterator[ast.expr]:
    if isinstance(expression, ast.IfExp):
        yield expression.body
        yield expression.orelse
    elif isinstance(expression, ast.Name):
        for value in assigned_values.get(expression.id, []):
            if not isinstance(value, ast.Name):
                yield value
    elif isinstance(expression, ast.Subscript):
        for mapping in assigned_values.get(_name_of(expression.value), []):
            if isinstance(mapping, ast.Dict):
                yield from mapping.values


def _codes_in_case(case: ast.match_case, assigned_values: AssignedValues) -> Iterator[str]:
    """Yield the matched members of an enumeration if the case makes a problem of their `value`."""
    members = [
        pattern.value.attr
        for pattern in ast.walk(case.pattern)
        if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Attribute)
    ]
    for statement in case.body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call) or _name_of(node.func) not in PROBLEM_CLASSES:
                continue
            code = node.args[0] if node.args else None
            if isinstance(code, ast.Attribute) and code.attr == "value":
                for member in members:
                    yield from _codes_in(ast.Name(member), assigned_values)


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
