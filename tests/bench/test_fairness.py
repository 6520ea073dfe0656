"""How the results of attacks are judged; `make bench fairness=1` shows that attacks can be made."""

from collections import Counter

import pytest

from bench.fairness.__main__ import select_attacks
from bench.fairness.attacks import ATTACKS
from bench.fairness.honest import Observation
from bench.fairness.report import HEADINGS, render_results, summarize
from devkit.platform.errors import CannotRunError

PEAKS: dict[str, float | None] = {"tasks": 120.0, "users": 110.0, "gateway": 80.0}
NO_OUTCOMES: Counter[str] = Counter()


def observations(failed: int, seconds: float = 0.01) -> list[Observation]:
    """Return 200 requests, of which `failed` failed."""
    failures = [Observation("get", seconds, "503") for _ in range(failed)]
    successes = [Observation("get", seconds, "ok") for _ in range(200 - failed)]
    return failures + successes


def test_one_failure_in_a_hundred_is_within_the_goal() -> None:
    assert summarize("an attack", observations(2), PEAKS, NO_OUTCOMES).missed_goals == []


def test_more_failures_than_one_in_a_hundred_miss_the_goal() -> None:
    result = summarize("an attack", observations(3), PEAKS, NO_OUTCOMES)

    assert result.missed_goals == ["failed"]
    assert result.failures == {"get 503": 3}


def test_an_operation_that_mostly_fails_misses_the_goal_however_rare_it_is() -> None:
    imports = [
        Observation("import", 5.0, "503"),
        Observation("import", 5.0, "503"),
        Observation("import", 0.1, "ok"),
    ]

    result = summarize("an attack", observations(0) * 4 + imports, PEAKS, NO_OUTCOMES)

    assert result.missed_goals == ["import"]


def test_honest_users_who_wait_longer_than_a_second_miss_the_goal() -> None:
    result = summarize("an attack", observations(0, seconds=1.1), PEAKS, NO_OUTCOMES)

    assert result.missed_goals == ["p99"]


@pytest.mark.parametrize("peak", [160.5, None])
def test_a_service_that_uses_too_much_memory_or_has_ended_misses_the_goal(
    peak: float | None,
) -> None:
    peaks = PEAKS | {"tasks": peak}

    assert summarize("an attack", observations(0), peaks, NO_OUTCOMES).missed_goals == ["tasks"]


def test_every_attack_has_a_line_with_a_cell_for_each_column() -> None:
    result = summarize("an attack", observations(3), PEAKS, Counter({"422": 7}))

    lines = render_results([result]).splitlines()

    cells = [cell.strip() for cell in lines[2].split("|")][1:-1]
    assert len(cells) == len(HEADINGS)
    assert cells == ["an attack", "1.5 %", "10", "10", "120", "110", "80", "7 x 422", "failed"]


def test_attacks_are_selected_by_group_or_by_words_of_their_names() -> None:
    assert {attack.group for attack in select_attacks("writes")} == {"writes"}
    assert {attack.name for attack in select_attacks("renamed, profile")} == {
        "a label on 10,000 tasks renamed, 2/s",
        "the profile changed, 64 at once",
    }
    assert select_attacks("") == list(ATTACKS)
    with pytest.raises(CannotRunError):
        select_attacks("no such attack")


def test_no_two_attacks_have_one_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
