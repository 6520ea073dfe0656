"""`.env.example` and the page for operators say the same as the settings classes and `docker-compose.yml`."""

import re
from collections.abc import Iterator
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
VALUES = dotenv_values(EXAMPLE)
COMPOSED = re.findall(
    r"\$\{([A-Z_]+)(?::(-|\?)([^${}]*))?", (ROOT / "docker-compose.yml").read_text()
)
"""Each use of a variable: its name, `-` or `?` or nothing, and its default or what is said when it is missing."""

SERVICES = {"gateway": GatewaySettings, "tasks": TasksSettings, "users": UsersSettings}
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \| (.+?) \|$", re.MULTILINE)
LISTED = {
    name: (readers, default)
    for name, readers, default in ROW.findall((ROOT / "docs/operating.md").read_text())
}
"""What the page for operators says of each setting: who reads it, and its default."""

BY_UP = "Required by make up"
CLASSES: list[type[BaseSettings]] = [GatewaySettings, RunSettings, TasksSettings, UsersSettings]


def fields(name: str) -> Iterator[FieldInfo]:
    for settings_class in CLASSES:
        field = settings_class.model_fields.get(name.lower())
        if field:
            yield field


def comment_of(name: str) -> str:
    """Return the lines of comment right above a variable, and nothing from beyond an empty line."""
    above, _, _ = EXAMPLE.read_text().partition(f"\n{name}=")
    _, _, paragraph = above.rpartition("\n\n")
    return paragraph


def as_text(default: object) -> str:
    """Spell a default as one would in the environment; what has none is left empty."""
    if isinstance(default, bool):
        return str(default).lower()
    return (
        f"{default:.15g}"
        if isinstance(default, float)
        else str(default)
        if isinstance(default, int | str)
        else ""
    )


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    known = {name.upper() for settings_class in CLASSES for name in settings_class.model_fields}
    assert set(VALUES) == known | {name for name, _, _ in COMPOSED}


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_says_what_it_means_and_what_holds_without_it(name: str) -> None:
    comment = comment_of(name)

    assert all(line.startswith("# ") for line in comment.splitlines())
    assert len(comment.split()) > 5
    assert "Default: " in comment or "Required" in comment


@pytest.mark.parametrize("name", VALUES)
def test_the_value_in_the_example_is_the_default(name: str) -> None:
    value = VALUES[name]
    composed = {default if kind == "-" else "" for used, kind, default in COMPOSED if used == name}

    assert value in {as_text(field.get_default()) for field in fields(name)} | composed
    assert not value or f"Default: {value}" in comment_of(name)


@pytest.mark.parametrize(
    ("name", "default"), [(name, default) for name, kind, default in COMPOSED if kind == "-"]
)
def test_containers_have_the_same_defaults(name: str, default: str) -> None:
    """A default that is built of other variables is explained, not repeated."""
    explained = {
        "BETTER_AUTH_URL",
        "BETTER_AUTH_JWKS_URL",
        "TASKS_DATABASE_URL",
        "USERS_DATABASE_URL",
    }

    assert default == VALUES[name] or name in explained


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_is_called_required_where_a_class_demands_it(name: str) -> None:
    assert any(field.is_required() for field in fields(name)) == (
        "Required" in comment_of(name).replace(BY_UP, "")
    )


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_is_called_required_by_make_up_where_containers_demand_it(name: str) -> None:
    assert ((name, "?") in {(used, kind) for used, kind, _ in COMPOSED}) == (
        BY_UP in comment_of(name)
    )


def test_the_page_for_operators_lists_every_setting() -> None:
    assert list(LISTED) == list(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_the_page_for_operators_says_who_reads_a_setting_and_what_holds_without_it(
    name: str,
) -> None:
    read_by, default = LISTED[name]
    readers = [
        who
        for who, settings_class in SERVICES.items()
        if name.lower() in settings_class.model_fields
    ]
    demanded = any(field.is_required() for field in fields(name))

    assert read_by == (
        "all services" if len(readers) == len(SERVICES) else ", ".join(readers) or "containers"
    )
    assert (default == "**required**") == (BY_UP in comment_of(name))
    assert (default == "required, set in containers") == (
        demanded and BY_UP not in comment_of(name)
    )
    assert not VALUES[name] or default == f"`{VALUES[name]}`"
