"""Random rules: canonical form and dates, against two other implementations."""

from datetime import date, datetime, time, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.limits import RECURRENCE_RULE_MAX_CHARACTERS
from tasks.task.recurrence.occurrences import next_occurrence
from tasks.task.recurrence.rule import InvalidRule, RecurrenceRule, parse_rule

from ...support.recurrence_oracle import Parts, dates_from, rule_parts, spellings

DAY = timedelta(days=1)
LAST_DAY = date(2200, 12, 31)
SEARCHED = timedelta(days=1100)
"""How many days the slow implementation looks at: a leap year and its neighbours."""

days = st.dates(date(1970, 1, 1), LAST_DAY) | st.dates(date(2095, 1, 1), date(2105, 1, 1))


def first_dates(rule: RecurrenceRule, start: date, end: date) -> list[date]:
    dates: list[date] = []
    day = next_occurrence(rule, start, start - DAY)
    while day is not None and day <= end and len(dates) < 12:
        dates.append(day)
        day = next_occurrence(rule, start, day)
    return dates


@pytest.mark.scenario("S007-AC-15")
@settings(max_examples=250)
@given(st.data(), rule_parts(), days)
def test_dates_are_those_of_the_rfc(data: st.DataObject, parts: Parts, start: date) -> None:
    rule = parse_rule(data.draw(spellings(parts)))
    end = min(start + SEARCHED, LAST_DAY)

    assert first_dates(rule, start, end) == list(islice(dates_from(parts, start, end), 12))


@settings(max_examples=150)
@given(st.data(), rule_parts())
def test_a_canonical_form_is_read_as_the_same_rule(data: st.DataObject, parts: Parts) -> None:
    text = data.draw(spellings(parts))
    other_text = data.draw(spellings(parts))
    rule = parse_rule(text)

    assert parse_rule(rule.text) == rule == parse_rule(other_text)
    assert parse_rule(rule.text).text == rule.text
    assert len(rule.text) <= len(text) <= RECURRENCE_RULE_MAX_CHARACTERS


@pytest.mark.scenario("S007-AC-15")
@settings(max_examples=150)
@given(st.data(), rule_parts(), days, st.integers(0, 20_000))
def test_dates_are_those_of_python_dateutil(
    data: st.DataObject, parts: Parts, start: date, days_later: int
) -> None:
    text = data.draw(spellings(parts))
    after = min(start + days_later * DAY, LAST_DAY)

    day = next_occurrence(parse_rule(text), start, after)

    # It searches years that do not end if there is no date; the other implementation checks that.
    if day is not None:
        dates = rrulestr(text, dtstart=datetime.combine(start, time()))
        expected = dates.after(datetime.combine(after, time()))
        assert expected is not None
        assert expected.date() == day


@given(rule_parts(), days, st.integers(0, 999), st.integers(0, 2000))
def test_a_later_start_has_the_same_later_dates(
    parts: Parts, start: date, first_days: int, more_days: int
) -> None:
    """The start moves nearer for daily and weekly rules; the dates must not."""
    rule = RecurrenceRule(
        parse_rule(f"FREQ={parts.frequency}").frequency,
        parts.interval,
        week_start=parts.week_start,
    )
    after = start + first_days * DAY
    end = after + more_days * DAY
    expected = [day for day in dates_from(plain(parts), start, min(end, LAST_DAY)) if day > after]

    day = next_occurrence(rule, start, after)

    if expected:
        assert day == expected[0]
    else:
        assert day is None or day > end


def plain(parts: Parts) -> Parts:
    """Return the parts of the same frequency, interval and week start, and no others."""
    return Parts(parts.frequency, parts.interval, [], [], [], [], parts.week_start)


@settings(max_examples=200)
@given(
    st.text(max_size=220) | st.from_regex(r"(?i)(FREQ|BYDAY|COUNT|UNTIL|;|=|,|[0-9A-Z+-]){1,60}")
)
def test_any_text_is_a_rule_or_explained(text: str) -> None:
    try:
        rule = parse_rule(text)
    except InvalidRule as error:
        message = str(error)
        assert message.endswith(".")
        assert message.isascii()
        assert message.isprintable()
    else:
        assert parse_rule(rule.text) == rule
