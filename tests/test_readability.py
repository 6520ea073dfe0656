"""Source code has few expressions that a reader must unfold: one step at a time is easier to read.

The bound is generous and holds for a whole package, so that a comprehension where it reads best is
no problem. A package that exceeds it has a habit: write named intermediate values and plain `if`s
instead.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import ROOT

DENSE_EXPRESSIONS_MAX_PER_1000_LINES = 22
"""Splats, ternaries and comprehensions. Code with a habit of them has about 50."""

PACKAGES = {
    "common": ROOT / "libs/common/src",
    "devkit": ROOT / "libs/devkit/src",
    "auth-gateway": ROOT / "services/auth-gateway/src",
    "tasks": ROOT / "services/tasks/src",
    "users": ROOT / "services/users/src",
}


def dense_expressions(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the splats, ternaries and comprehensions of a file."""
    for node in ast.walk(tree):
        is_splat = isinstance(node, ast.Starred)
        if isinstance(node, ast.keyword) and node.arg is None:
            is_splat = True
        if is_splat or isinstance(
            node, ast.IfExp | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            yield node
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if key is None:
                    yield node


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_few_dense_expressions(package: str) -> None:
    counts: dict[Path, int] = {}
    lines = 0
    for file in PACKAGES[package].rglob("*.py"):
        text = file.read_text()
        lines += text.count("\n")
        counts[file] = len(list(dense_expressions(ast.parse(text))))

    per_1000_lines = sum(counts.values()) * 1000 / lines
    densest = sorted(counts, key=lambda file: counts[file], reverse=True)[:5]
    report = [f"{file.relative_to(ROOT)}: {counts[file]}" for file in densest]
    assert per_1000_lines <= DENSE_EXPRESSIONS_MAX_PER_1000_LINES, report
