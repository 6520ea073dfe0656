"""What the specifications ask of the sources rather than of a running platform."""

import ast
from itertools import chain
from pathlib import Path

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

SOURCES = {name: CHECKOUT / "services" / name / "src" / name for name in ("tasks", "users")}
SHAPE = {"main", "models", "settings"}


def code_of(folder: Path) -> list[ast.AST]:
    return list(
        chain.from_iterable(ast.walk(ast.parse(file.read_text())) for file in folder.rglob("*.py"))
    )


def subclasses_of(parent: type[SQLModel]) -> list[type[SQLModel]]:
    return [each for child in parent.__subclasses__() for each in (child, *subclasses_of(child))]


@pytest.mark.scenario("S001-SC-002")
def test_every_requirement_is_shown_by_a_test_and_the_page_says_by_which() -> None:
    specifications, evidence = read_requirements(CHECKOUT / REQUIREMENTS), find_tests(CHECKOUT)

    assert find_gaps(specifications, evidence) == []
    assert (CHECKOUT / PAGE).read_text() == render(specifications, evidence), "stale: make fix"


@pytest.mark.scenario("S001-FR-003", "S002-FR-006", "S006-FR-001")
@pytest.mark.parametrize("models", [tasks_models, users_models])
def test_every_table_is_defined_by_sqlmodel(models: object) -> None:
    classes = [
        each
        for each in vars(models).values()
        if isinstance(each, type) and each in subclasses_of(SQLModel)
    ]
    tables = {vars(each)["__tablename__"] for each in classes if "__table__" in vars(each)}

    assert tables
    assert tables == set(vars(models)["METADATA"].tables)


@pytest.mark.scenario("S001-FR-003")
@pytest.mark.parametrize("service", SOURCES)
def test_no_service_writes_sql_as_text(service: str) -> None:
    """Without `text`, SQLAlchemy takes no string for a statement."""
    code = code_of(SOURCES[service])

    names = {
        alias.name for node in code if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert names.isdisjoint({"text", "TextClause", "psycopg"})


@pytest.mark.scenario("S002-SC-001")
@pytest.mark.parametrize("service", SOURCES)
def test_services_are_built_alike(service: str) -> None:
    assert {file.stem for file in SOURCES[service].iterdir()} >= SHAPE


@pytest.mark.scenario("S001-FR-002", "S002-FR-009")
def test_secrets_and_addresses_come_from_the_environment_and_else_from_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("TASKS_DATABASE_URL=postgresql://file/tasks\nBETTER_AUTH_SECRET=of the file\n")
    monkeypatch.setattr("os.environ", {"BETTER_AUTH_SECRET": "of the environment"})

    settings = load_settings(file)

    assert settings.configured_databases == {"tasks": "postgresql://file/tasks"}
    assert settings.better_auth_secret
    assert settings.better_auth_secret.get_secret_value() == "of the environment"
