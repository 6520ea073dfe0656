"""The SQL of every statement is checked in, so that a reviewer reads SQL."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import ColumnElement, Executable

from devkit.cli.sql_snapshots import SERVICES, load_statements, read_snapshots, render_snapshots
from devkit.platform.settings import CHECKOUT


def modules_of(package_name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(package_name)
    for module in pkgutil.walk_packages(package.__path__, f"{package_name}."):
        yield importlib.import_module(module.name)


def is_statement(name: str, member: object) -> bool:
    is_public_constant = name.isupper() and not name.startswith("_")
    is_executable = isinstance(member, Executable) and not isinstance(member, ColumnElement)
    return is_public_constant and is_executable


def find_builder(member: object) -> str | None:
    """Return the name of a public, cached function that builds a statement."""
    function = getattr(member, "__wrapped__", None)
    if not inspect.isfunction(function) or function.__name__.startswith("_"):
        return None
    if function.__annotations__.get("return") is not Executable:
        return None
    return function.__name__


@pytest.mark.parametrize("service", SERVICES)
def test_every_statement_has_a_snapshot(service: str) -> None:
    statements = load_statements(service)
    snapshot_ids = {id(statement) for statement in statements.values()}
    snapshot_names = {name.partition("/")[2].partition("-")[0] for name in statements}

    missing: set[str] = set()
    for module in modules_of(service):
        for name, member in vars(module).items():
            if is_statement(name, member) and id(member) not in snapshot_ids:
                missing.add(f"{module.__name__}.{name}")
            builder = find_builder(member)
            if builder and builder not in snapshot_names:
                missing.add(f"{module.__name__}.{name}")

    assert missing == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_snapshots_show_todays_sql(service: str) -> None:
    rendered = render_snapshots(service)
    checked_in = read_snapshots(service)

    stale = [relative(file) for file, text in rendered.items() if checked_in.get(file) != text]
    unknown = [relative(file) for file in checked_in if file not in rendered]

    assert stale == [], "The SQL has changed: run `make fix` and review the difference"
    assert unknown == [], "Snapshots of statements that no longer exist: run `make fix`"


def relative(file: Path) -> str:
    return file.relative_to(CHECKOUT).as_posix()
