"""Settings, as the environment says them."""

import os

import pytest
from pydantic import SecretStr

from common.database.url import DatabaseUrl
from common.settings import CommaSeparated, Settings, read_settings


class ExampleSettings(Settings):
    """One of each kind."""

    database_url: DatabaseUrl
    names: CommaSeparated = ()
    secret: SecretStr | None = None


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Begin with what is needed, and nothing else."""
    for name in ExampleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@host/name")
    return monkeypatch


def stopped_with(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        read_settings(ExampleSettings)
    assert stop.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "names"),
    [("a", ("a",)), ("a, b ,c", ("a", "b", "c")), (" ,a,,", ("a",)), (",", ()), ("[1]", ("[1]",))],
)
def test_a_list_is_written_with_commas(
    environment: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    environment.setenv("NAMES", text)

    assert read_settings(ExampleSettings).names == names


def test_empty_means_unset(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("NAMES", "SECRET", "HOST", "PORT"):
        environment.setenv(name, "")
    assert read_settings(ExampleSettings).model_dump(exclude={"database_url"}) == {
        "host": "127.0.0.1",
        "port": 8000,
        "metrics_port": None,
        "names": (),
        "secret": None,
    }

    environment.setenv("DATABASE_URL", "")
    assert "DATABASE_URL:" in stopped_with(capsys)


def test_one_message_names_all_that_is_wrong_and_no_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DATABASE_URL", "mysql://me:hush@host/name")
    environment.setenv("PORT", "65536")

    message = stopped_with(capsys)

    assert message.splitlines()[0] == "These settings stop the start:"
    assert [line.partition(":")[0].strip() for line in message.splitlines()[1:]] == [
        "DATABASE_URL",
        "PORT",
    ]
    assert "hush" not in message


def test_settings_neither_change_nor_show_their_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET", "hush")
    settings = read_settings(ExampleSettings)

    assert "hush" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_what_a_shell_says_to_libpq_is_forgotten(environment: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGHOST", "PGSERVICE", "PGOPTIONS", "PGSSLMODE"):
        environment.setenv(name, "1")

    read_settings(ExampleSettings)

    assert not [name for name in os.environ if name.startswith("PG")]
