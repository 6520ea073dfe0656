"""What stops the start."""

import pytest

from common.settings import read_settings
from tasks.settings import TasksSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with none of the settings, whatever the developer has set."""
    for name in TasksSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_everything_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(TasksSettings)

    message = capsys.readouterr().err
    assert "TASKS_DATABASE_URL:" in message
    assert "PASSPORT_PUBLIC_KEYS:" in message


def test_everything_that_is_wrong_is_named_and_no_secret_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASKS_DATABASE_URL", "mysql://me:hush@host/name")
    monkeypatch.setenv("TASKS_DATABASE_URL_UNPOOLED", "hush")
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43 + ",hush")
    monkeypatch.setenv("PORT", "70000")

    with pytest.raises(SystemExit):
        read_settings(TasksSettings)

    message = capsys.readouterr().err
    for name in (
        "USERS_URL:",
        "TASKS_DATABASE_URL:",
        "TASKS_DATABASE_URL_UNPOOLED:",
        "PASSPORT_PUBLIC_KEYS:",
        "PORT:",
    ):
        assert name in message
    assert "hush" not in message


def test_a_database_a_key_and_a_peer_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TASKS_DATABASE_URL", "postgresql://me:hush@host-pooler.example/name?sslmode=verify-full"
    )
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43)
    monkeypatch.setenv("USERS_URL", "http://users:8000")

    settings = read_settings(TasksSettings)

    assert settings.host == "127.0.0.1"
    assert "hush" not in repr(settings)
