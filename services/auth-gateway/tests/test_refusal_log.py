"""The log of refused preflights."""

import json

import pytest

from auth_gateway.cors import (
    LOG_PERIOD_SECONDS,
    LOGGED_ORIGINS_MAX,
    ORIGIN_MAX_CHARACTERS,
    RefusalLog,
)

from .support.helpers import Clock

ORIGIN = "http://localhost:5173"


def logged_origins(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the origins of the lines that were written since the last call."""
    return [json.loads(line)["origin"] for line in capsys.readouterr().out.splitlines()]


def test_an_origin_is_logged_once_in_a_period(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal_log = RefusalLog(clock)

    for _ in range(3):
        refusal_log.add(ORIGIN)
    assert logged_origins(capsys) == [ORIGIN]
    clock.now += LOG_PERIOD_SECONDS
    refusal_log.add(ORIGIN)

    assert logged_origins(capsys) == [ORIGIN]


def test_many_origins_do_not_flood_the_log(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal_log = RefusalLog(clock)

    for number in range(10 * LOGGED_ORIGINS_MAX):
        refusal_log.add(f"https://{number}.example")
    assert len(logged_origins(capsys)) == LOGGED_ORIGINS_MAX
    clock.now += LOG_PERIOD_SECONDS
    refusal_log.add(ORIGIN)

    assert logged_origins(capsys) == [ORIGIN]


def test_a_long_origin_is_cut_and_counts_once(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal_log = RefusalLog(clock)

    refusal_log.add("x" * 10_000)
    refusal_log.add("x" * 10_001)

    assert logged_origins(capsys) == ["x" * ORIGIN_MAX_CHARACTERS]


def test_an_origin_cannot_break_its_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    origin = 'http://a"}\x1b[2J\u2028\x85'

    RefusalLog(clock).add(origin)

    text = capsys.readouterr().out
    assert text.isascii()
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text)["origin"] == origin
