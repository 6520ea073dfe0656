"""How the table of attacks judges; that attacks can be made is seen by `make bench fairness=1`."""

from collections import Counter

import pytest

from bench.fairness.__main__ import chosen
from bench.fairness.attacks import ATTACKS
from bench.fairness.honest import Sight
from bench.fairness.report import HEADINGS, summarize, table
from devkit.platform.errors import CannotRunError

PEAKS: dict[str, float | None] = {"tasks": 120.0, "users": 110.0, "gateway": 80.0}
NO_OUTCOMES: Counter[str] = Counter()


def sights(failed: int, seconds: float = 0.01) -> list[Sight]:
    """Return 200 requests, so many of which failed."""
    return [Sight("get", seconds, "503" if number < failed else "ok") for number in range(200)]


def test_one_failure_in_a_hundred_is_within_the_goal() -> None:
    assert summarize("an attack", sights(2), PEAKS, NO_OUTCOMES).missed == []


def test_more_failures_than_one_in_a_hundred_miss_the_goal() -> None:
    result = summarize("an attack", sights(3), PEAKS, NO_OUTCOMES)

    assert result.missed == ["failed"]
    assert result.failures == {"get 503": 3}


def test_an_operation_that_mostly_fails_misses_the_goal_however_rare_it_is() -> None:
    imports = [Sight("import", 5.0, "503"), Sight("import", 5.0, "503"), Sight("import", 0.1, "ok")]
    rare = summarize("an attack", sights(0) * 4 + imports, PEAKS, NO_OUTCOMES)

    assert rare.missed == ["import"]


def test_others_who_wait_longer_than_a_second_miss_the_goal() -> None:
    assert summarize("an attack", sights(0, seconds=1.1), PEAKS, NO_OUTCOMES).missed == ["p99"]


@pytest.mark.parametrize("peak", [160.5, None])
def test_a_service_that_holds_too_much_or_has_ended_misses_the_goal(peak: float | None) -> None:
    peaks = PEAKS | {"tasks": peak}

    assert summarize("an attack", sights(0), peaks, NO_OUTCOMES).missed == ["tasks"]


def test_every_attack_has_a_line_with_a_cell_for_each_column() -> None:
    result = summarize("an attack", sights(3), PEAKS, Counter({"422": 7}))
    lines = table([result]).splitlines()
    cells = [cell.strip() for cell in lines[2].split("|")][1:-1]

    assert len(cells) == len(HEADINGS)
    assert cells == ["an attack", "1.5 %", "10", "10", "120", "110", "80", "7 x 422", "failed"]


def test_attacks_are_chosen_by_group_or_by_words_of_their_names() -> None:
    assert {attack.group for attack in chosen("writes")} == {"writes"}
    assert {attack.name for attack in chosen("renamed, profile")} == {
        "a label on 10,000 tasks renamed, 2/s",
        "the profile changed, 64 at once",
    }
    assert chosen("") == list(ATTACKS)
    with pytest.raises(CannotRunError):
        chosen("no such attack")


def test_no_two_attacks_have_one_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
