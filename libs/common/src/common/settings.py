"""What an operator can change: read from the environment once, at the start, and never again."""

import sys
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.environment import forget_libpq_variables


class Settings(BaseSettings):
    """What every service can be told. Unset and empty mean the same."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port to listen on; 0 picks a free one."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """TCP port at the same address that shows metrics to Prometheus, and not to be reached by clients. Unset, none."""


def _split(text: object) -> object:
    return (
        tuple(part.strip() for part in text.split(",") if part.strip())
        if isinstance(text, str)
        else text
    )


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list in one variable: `a, b` is `("a", "b")`."""

SettingsClass = TypeVar("SettingsClass", bound=BaseSettings)


def read_settings(settings_class: type[SettingsClass]) -> SettingsClass:
    """Read the settings, or stop the start with one message that names all that is wrong.

    From then on libpq's own variables say nothing any more.

    Raises:
        SystemExit: Something is missing or dangerous; the exit code is 2.
    """
    forget_libpq_variables()
    try:
        return settings_class()
    except ValidationError as error:
        faults = [(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False)]
    lines = [
        f"  {str(*at[:1]).upper() or 'settings'}: {says.removeprefix('Value error, ')}"
        for at, says in faults
    ]
    sys.stderr.write("\n".join(["These settings stop the start:", *sorted(lines), ""]))
    raise SystemExit(2)
