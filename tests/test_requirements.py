"""Requirements that are about the source code, not about a running platform."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlmodel import SQLModel

from devkit.cli.traceability import (
    PAGE,
    REQUIREMENTS,
    find_gaps,
    find_tests,
    read_requirements,
    render,
)
from devkit.platform.settings import CHECKOUT, load_settings
from tasks import models as tasks_models
from users import models as users_models

SOURCES = {
    "tasks": CHECKOUT / "services" / "tasks" / "src" / "tasks",
    "users": CHECKOUT / "services" / "users" / "src" / "users",
}
COMMON_MODULES = {"main", "models", "settings"}


def imported_names(folder: Path) -> set[str]:
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                names.update(alias.name for alias in node.names)
    return names


def subclasses_of(parent: type[SQLModel]) -> Iterator[type[SQLModel]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses_of(child)


def tables_of(models: object) -> set[str]:
    """Return the names of the tables that the SQLModel classes in a module define."""
    sqlmodel_classes = list(subclasses_of(SQLModel))
    tables: set[str] = set()
    for member in vars(models).values():
        if not isinstance(member, type) or member not in sqlmodel_classes:
            continue
        if "__table__" in vars(member):
            tables.add(cast("str", vars(member)["__tablename__"]))
    return tables


@pytest.mark.scenario("S001-SC-002")
def test_every_requirement_is_shown_by_a_test_and_the_page_says_by_which() -> None:
    specifications = read_requirements(CHECKOUT / REQUIREMENTS)
    tests = find_tests(CHECKOUT)

    assert find_gaps(specifications, tests) == []
    assert (CHECKOUT / PAGE).read_text() == render(specifications, tests), "stale: make fix"


@pytest.mark.scenario("S001-FR-003", "S002-FR-006", "S006-FR-001")
@pytest.mark.parametrize("models", [tasks_models, users_models])
def test_every_table_is_defined_by_sqlmodel(models: object) -> None:
    tables = tables_of(models)

    assert tables
    assert tables == set(vars(models)["METADATA"].tables)


@pytest.mark.scenario("S001-FR-003")
@pytest.mark.parametrize("service", SOURCES)
def test_no_service_writes_sql_as_text(service: str) -> None:
    """Without `text`, SQLAlchemy accepts no string as a statement."""
    names = imported_names(SOURCES[service])

    assert names.isdisjoint({"text", "TextClause", "psycopg"})


@pytest.mark.scenario("S002-SC-001")
@pytest.mark.parametrize("service", SOURCES)
def test_services_have_the_same_modules(service: str) -> None:
    assert {file.stem for file in SOURCES[service].iterdir()} >= COMMON_MODULES


@pytest.mark.scenario("S001-FR-002", "S002-FR-009")
def test_secrets_and_urls_come_from_the_environment_or_else_from_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("TASKS_DATABASE_URL=postgresql://file/tasks\nBETTER_AUTH_SECRET=of the file\n")
    monkeypatch.setattr("os.environ", {"BETTER_AUTH_SECRET": "of the environment"})

    settings = load_settings(file)

    assert settings.configured_databases == {"tasks": "postgresql://file/tasks"}
    assert settings.better_auth_secret
    assert settings.better_auth_secret.get_secret_value() == "of the environment"
