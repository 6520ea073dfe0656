"""Invalid database URLs stop the start with a message that contains no value."""

import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic_settings import BaseSettings
from sqlalchemy import make_url

from common.database.url import DatabaseUrl
from common.settings import read_settings


class OneUrl(BaseSettings):
    """Settings of a service with a database only."""

    database_url: DatabaseUrl


def start_message(
    url: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    environment.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as exit_error:
        read_settings(OneUrl)
    assert exit_error.value.code == 2
    _, _, message = capsys.readouterr().err.partition("DATABASE_URL: ")
    return message


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("hush", "postgresql://"),
        ("mysql://host/name", "postgresql://"),
        ("postgres+asyncpg://me:hush@host/name", "driver"),
        ("postgresql+psycopg://me:hush@host/name", "driver"),
        ("'postgresql://me:hush@host/name'", "postgresql://"),
        ("postgresql://me:hush@host", "/name"),
        ("postgresql://me:hush@host/", "/name"),
        ("postgresql://host/?sslmode=require", "/name"),
        ("postgresql://me:hu@sh@host/name", "%40"),
        ("postgresql://me:hu/sh@host/name", "%2F"),
        ("postgresql://me:hu?sh@host/name", "%3F"),
        ("postgresql://me:hush%zz@host/name", "%25"),
        ("postgresql://me:hu sh@host/name", "%20"),
        ("postgresql://me:hush@host:54hush/name", "port"),
        ("postgresql://me:hush@host:70000/name", "port"),
        ("postgresql://me:hush@[::1/name", "cannot be read"),
        ("postgresql://me:hush@host/name?pgbouncer=true", " pgbouncer,"),
        ("postgresql://me:hush@host/name?schema=public", " schema,"),
        ("postgresql://me:hush@host/name?sslmode=require&connection_limit=1", " connection_limit,"),
        ("postgresql://me:hush@host/name?ssl=true", " ssl,"),
        ("postgresql://me:hush@host/name?sslmode=hush", " sslmode,"),
        ("postgresql://me:hush@host/name?sslmode", " sslmode,"),
        ("postgresql://me:hush@host/name?channel_binding=hush", " channel_binding,"),
        ("postgresql://me:hush@host/name?connect_timeout=hush", " connect_timeout,"),
        ("postgresql://me:hush@host/name?sslmode=require&sslmode=disable", " sslmode twice"),
        ("postgresql://me:hush@a-pooler.b/name?options=-csearch_path%3Dhush", " options,"),
    ],
)
def test_an_invalid_url_is_explained_without_its_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, word: str
) -> None:
    message = start_message(url, monkeypatch, capsys)

    assert word in message
    assert "hu" not in message
    assert "sh@" not in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host/name",
        "postgresql://me:a%2Fb@[::1]:5432/name?sslmode=require",
        "postgresql://me:a:b@host/name",
        "postgresql://me:a#b@host/name",
        "postgresql://me@/name?host=/run",
        "postgresql://me@host/name?application_name=a@b",
        "postgresql://me:a@host/name?options=-csearch_path%3Da",
        "postgresql://me:a@a-pooler.b/name?sslmode=verify-full&channel_binding=require&sslrootcert=/etc/ca.crt",
    ],
)
def test_a_valid_url_means_the_same_to_libpq_and_sqlalchemy(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    url_setting = read_settings(OneUrl).database_url.get_secret_value()

    assert url_setting == url
    libpq_values = conninfo_to_dict(url_setting)
    sqlalchemy_url = make_url(url_setting)
    assert (sqlalchemy_url.username, sqlalchemy_url.password) == (
        libpq_values.get("user"),
        libpq_values.get("password"),
    )
    assert sqlalchemy_url.database == libpq_values["dbname"]
    assert (sqlalchemy_url.host or sqlalchemy_url.query.get("host")) == libpq_values.get("host")
