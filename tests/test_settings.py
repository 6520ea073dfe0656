"""`.env.example` and `docs/operating.md` agree with settings classes and `docker-compose.yml`."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from auth_gateway.settings import GatewaySettings
from devkit.platform.settings import RunSettings
from tasks.settings import TasksSettings
from users.settings import UsersSettings

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / ".env.example"
EXAMPLE_VALUES = dotenv_values(EXAMPLE)

SERVICES = {"gateway": GatewaySettings, "tasks": TasksSettings, "users": UsersSettings}
CLASSES: list[type[BaseSettings]] = [GatewaySettings, RunSettings, TasksSettings, UsersSettings]

REQUIRED_IN_CONTAINERS = "Required by make up"
EXPLAINED_DEFAULTS = {
    "BETTER_AUTH_URL",
    "BETTER_AUTH_JWKS_URL",
    "TASKS_DATABASE_URL",
    "USERS_DATABASE_URL",
}
"""Variables whose default in containers is made of others: it is explained, not repeated."""


@dataclass(frozen=True)
class ComposeVariable:
    """A variable in `docker-compose.yml`: `${NAME}`, `${NAME:-default}` or `${NAME:?message}`."""

    name: str
    operator: str
    text: str
    """The default, or the message if the variable is not set."""


def read_compose_variables() -> list[ComposeVariable]:
    text = (ROOT / "docker-compose.yml").read_text()
    uses = re.findall(r"\$\{([A-Z_]+)(?::(-|\?)([^${}]*))?", text)
    return [ComposeVariable(name, operator, text) for name, operator, text in uses]


COMPOSE_VARIABLES = read_compose_variables()
COMPOSE_DEFAULTS = [variable for variable in COMPOSE_VARIABLES if variable.operator == "-"]


@dataclass(frozen=True)
class DocumentedSetting:
    """A row of the table of settings in `docs/operating.md`."""

    read_by: str
    default: str


def read_operating_page() -> dict[str, DocumentedSetting]:
    row = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \| (.+?) \|$", re.MULTILINE)
    settings: dict[str, DocumentedSetting] = {}
    for name, read_by, default in row.findall((ROOT / "docs/operating.md").read_text()):
        settings[name] = DocumentedSetting(read_by, default)
    return settings


DOCUMENTED_SETTINGS = read_operating_page()


def fields_of(name: str) -> list[FieldInfo]:
    """Return the fields of this setting in all classes."""
    fields: list[FieldInfo] = []
    for settings_class in CLASSES:
        field = settings_class.model_fields.get(name.lower())
        if field:
            fields.append(field)
    return fields


def is_required(name: str) -> bool:
    return any(field.is_required() for field in fields_of(name))


def is_required_in_containers(name: str) -> bool:
    return REQUIRED_IN_CONTAINERS in comment_of(name)


def comment_of(name: str) -> str:
    """Return the comment right above a variable, up to an empty line."""
    above, _, _ = EXAMPLE.read_text().partition(f"\n{name}=")
    _, _, paragraph = above.rpartition("\n\n")
    return paragraph


def as_text(default: object) -> str:
    """Return a default as it is written in the environment; empty if there is none."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:.15g}"
    if isinstance(default, int | str):
        return str(default)
    return ""


def expected_readers(name: str) -> str:
    readers = [
        service
        for service, settings_class in SERVICES.items()
        if name.lower() in settings_class.model_fields
    ]
    if len(readers) == len(SERVICES):
        return "all services"
    if not readers and name.lower() in RunSettings.model_fields:
        readers.append("make run")
        if any(variable.name == name for variable in COMPOSE_VARIABLES):
            readers.append("containers")
    return ", ".join(readers) or "containers"


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    known = {variable.name for variable in COMPOSE_VARIABLES}
    for settings_class in CLASSES:
        known.update(name.upper() for name in settings_class.model_fields)

    assert set(EXAMPLE_VALUES) == known


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_a_variable_has_a_comment_with_its_meaning_and_its_default(name: str) -> None:
    comment = comment_of(name)

    assert all(line.startswith("# ") for line in comment.splitlines())
    assert len(comment.split()) > 5
    assert "Default: " in comment or "Required" in comment


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_the_value_in_the_example_is_the_default(name: str) -> None:
    defaults = {as_text(field.get_default()) for field in fields_of(name)}
    for variable in COMPOSE_VARIABLES:
        if variable.name == name and variable.operator == "-":
            defaults.add(variable.text)
        elif variable.name == name:
            defaults.add("")
    value = EXAMPLE_VALUES[name]

    assert value in defaults
    assert not value or f"Default: {value}" in comment_of(name)


@pytest.mark.parametrize("variable", COMPOSE_DEFAULTS)
def test_containers_have_the_same_defaults(variable: ComposeVariable) -> None:
    is_equal = variable.text == EXAMPLE_VALUES[variable.name]

    assert is_equal or variable.name in EXPLAINED_DEFAULTS


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_a_variable_is_called_required_if_a_class_requires_it(name: str) -> None:
    comment = comment_of(name).replace(REQUIRED_IN_CONTAINERS, "")

    assert ("Required" in comment) == is_required(name)


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_a_variable_is_called_required_by_make_up_if_containers_require_it(name: str) -> None:
    required_names = {variable.name for variable in COMPOSE_VARIABLES if variable.operator == "?"}

    assert is_required_in_containers(name) == (name in required_names)


def test_the_page_for_operators_lists_every_setting() -> None:
    assert list(DOCUMENTED_SETTINGS) == list(EXAMPLE_VALUES)


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_the_page_for_operators_says_who_reads_a_setting_and_its_default(name: str) -> None:
    documented = DOCUMENTED_SETTINGS[name]
    is_set_in_containers = is_required(name) and not is_required_in_containers(name)
    value = EXAMPLE_VALUES[name]

    assert documented.read_by == expected_readers(name)
    assert (documented.default == "**required**") == is_required_in_containers(name)
    assert (documented.default == "required, set in containers") == is_set_in_containers
    assert not value or documented.default == f"`{value}`"
