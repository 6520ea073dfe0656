"""`.env.example` and the settings classes say the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from auth_gateway.settings import GatewaySettings
from devkit.settings import RunSettings
from tasks.settings import TasksSettings
from users.settings import UsersSettings

EXAMPLE = Path(__file__).parents[1] / ".env.example"
VALUES = dotenv_values(EXAMPLE)
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
    return f"{default:.15g}" if isinstance(default, float) else str(default) if isinstance(default, int | str) else ""


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    assert set(VALUES) == {name.upper() for settings_class in CLASSES for name in settings_class.model_fields}


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_says_what_it_means_and_what_holds_without_it(name: str) -> None:
    comment = comment_of(name)

    assert all(line.startswith("# ") for line in comment.splitlines())
    assert len(comment.split()) > 5
    assert "Default: " in comment or "Required" in comment


@pytest.mark.parametrize("name", VALUES)
def test_the_value_in_the_example_is_the_default(name: str) -> None:
    value = VALUES[name]

    assert value in {as_text(field.get_default()) for field in fields(name)}
    assert not value or f"Default: {value}" in comment_of(name)


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_is_called_required_where_a_class_demands_it(name: str) -> None:
    assert any(field.is_required() for field in fields(name)) == ("Required" in comment_of(name))
