"""Settings from environment variables."""

import os

import pytest
from pydantic import SecretStr

from common.database.url import DatabaseUrl
from common.settings import CommaSeparated, Settings, read_settings


class ExampleSettings(Settings):
    """One setting of each kind."""

    database_url: DatabaseUrl
    names: CommaSeparated = ()
    secret: SecretStr | None = None


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the required settings only."""
    for name in ExampleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@host/name")
    return monkeypatch


def start_message(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_error:
        read_settings(ExampleSettings)
    assert exit_error.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "names"),
    [("a", ("a",)), ("a, b ,c", ("a", "b", "c")), (" ,a,,", ("a",)), (",", ()), ("[1]", ("[1]",))],
)
def test_a_list_is_separated_by_commas(
    environment: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    environment.setenv("NAMES", text)

    assert read_settings(ExampleSettings).names == names


def test_an_empty_setting_is_unset(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("NAMES", "SECRET", "HOST", "PORT", "OTEL_TRACES_SAMPLER"):
        environment.setenv(name, "")
    assert read_settings(ExampleSettings).model_dump(exclude={"database_url"}) == {
        "host": "127.0.0.1",
        "port": 8000,
        "metrics_port": None,
        "otel_exporter_otlp_endpoint": None,
        "otel_service_name": None,
        "otel_traces_sampler": "parentbased_always_on",
        "otel_traces_sampler_arg": 1,
        "names": (),
        "secret": None,
    }

    environment.setenv("DATABASE_URL", "")
    assert "DATABASE_URL:" in start_message(capsys)


def test_one_message_names_all_invalid_settings_without_values(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DATABASE_URL", "mysql://me:hush@host/name")
    environment.setenv("PORT", "65536")
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    environment.setenv("OTEL_TRACES_SAMPLER", "sometimes")

    message = start_message(capsys)

    assert message.splitlines()[0] == "These settings stop the start:"
    assert [line.partition(":")[0].strip() for line in message.splitlines()[1:]] == [
        "DATABASE_URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_TRACES_SAMPLER",
        "PORT",
    ]
    assert "hush" not in message


def test_settings_are_frozen_and_hide_their_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET", "hush")
    settings = read_settings(ExampleSettings)

    assert "hush" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_variables_of_libpq_are_removed(environment: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGHOST", "PGSERVICE", "PGOPTIONS", "PGSSLMODE"):
        environment.setenv(name, "1")

    read_settings(ExampleSettings)

    assert not [name for name in os.environ if name.startswith("PG")]
