"""Settings, read from the environment once at the start."""

import sys
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, HttpUrl, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.environment import forget_libpq_variables


class Settings(BaseSettings):
    """Settings of every service. An empty variable is the same as an unset one."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port to listen on; 0 picks a free one."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """TCP port for Prometheus at the same address; clients must not reach it. Unset: no metrics."""

    otel_exporter_otlp_endpoint: HttpUrl | None = None
    """URL of the receiver of traces (OTLP over HTTP). Unset: no traces.

    This and the following are OpenTelemetry's own variables. Its SDK reads them, too.
    """

    otel_service_name: str | None = None
    """Name of the service in traces; default: its own."""

    otel_traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = "parentbased_always_on"
    """Which traces are recorded; `parentbased`: those that the client records, or else these."""

    otel_traces_sampler_arg: float = Field(default=1, ge=0, le=1)
    """The share of traces that `traceidratio` records."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts: list[str] = []
    for part in value.split(","):
        if part.strip():
            parts.append(part.strip())
    return tuple(parts)


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list in one variable: `a, b` is `("a", "b")`."""

SettingsClass = TypeVar("SettingsClass", bound=BaseSettings)


def read_settings(settings_class: type[SettingsClass]) -> SettingsClass:
    """Read the settings, or stop the start with one message that names all that are wrong.

    Also removes libpq's own variables from the environment.

    Raises:
        SystemExit: A setting is missing or wrong; the exit code is 2.
    """
    forget_libpq_variables()
    try:
        return settings_class()
    except ValidationError as error:
        lines = [_describe(detail) for detail in error.errors(include_input=False)]
    sys.stderr.write("These settings stop the start:\n")
    for line in sorted(lines):
        sys.stderr.write(line + "\n")
    raise SystemExit(2)


def _describe(detail: ErrorDetails) -> str:
    name = "settings"
    if detail["loc"]:
        name = str(detail["loc"][0]).upper()
    message = detail["msg"].removeprefix("Value error, ")
    return f"  {name}: {message}"
