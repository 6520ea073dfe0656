"""The text of a rule: what is accepted, its canonical form, and what is said about the rest."""

import time
from datetime import date

import pytest

from tasks.limits import RECURRENCE_RULE_MAX_CHARACTERS
from tasks.task.recurrence.rule import InvalidRule, parse_rule

CANONICAL = [
    ("FREQ=DAILY", "FREQ=DAILY"),
    ("freq=weekly;byday=mo,fr", "FREQ=WEEKLY;BYDAY=MO,FR"),
    ("ByDay=Mo;fReQ=wEEKLY", "FREQ=WEEKLY;BYDAY=MO"),
    ("INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
    ("FREQ=DAILY;INTERVAL=007", "FREQ=DAILY;INTERVAL=7"),
    ("FREQ=DAILY;INTERVAL=999", "FREQ=DAILY;INTERVAL=999"),
    ("FREQ=DAILY;WKST=MO", "FREQ=DAILY"),
    ("FREQ=WEEKLY;WKST=SU", "FREQ=WEEKLY;WKST=SU"),
    ("FREQ=WEEKLY;BYDAY=SU,SA,FR,TH,WE,TU,MO,MO", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
    ("FREQ=MONTHLY;BYDAY=+1SU,1MO,-1FR,-5SA,05TU", "FREQ=MONTHLY;BYDAY=-5SA,-1FR,1MO,1SU,5TU"),
    ("FREQ=MONTHLY;BYMONTHDAY=+31,01,-01,1,-31", "FREQ=MONTHLY;BYMONTHDAY=-31,-1,1,31"),
    ("FREQ=YEARLY;BYMONTH=12,01,2,12", "FREQ=YEARLY;BYMONTH=1,2,12"),
    (
        "FREQ=MONTHLY;BYSETPOS=366,-366,+1,-1;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-366,-1,1,366",
    ),
    ("FREQ=DAILY;COUNT=0999", "FREQ=DAILY;COUNT=999"),
    ("UNTIL=20280229;FREQ=DAILY", "FREQ=DAILY;UNTIL=20280229"),
    ("FREQ=DAILY;UNTIL=00010101", "FREQ=DAILY;UNTIL=00010101"),
    ("FREQ=DAILY;UNTIL=99991231", "FREQ=DAILY;UNTIL=99991231"),
    ("FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2", "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2"),
    ("FREQ=MONTHLY;BYMONTH=1;BYSETPOS=1", "FREQ=MONTHLY;BYMONTH=1;BYSETPOS=1"),
    (
        "COUNT=3;WKST=TU;BYSETPOS=1;BYMONTH=3;BYMONTHDAY=5;BYDAY=MO;INTERVAL=2;FREQ=YEARLY",
        "FREQ=YEARLY;INTERVAL=2;BYDAY=MO;BYMONTHDAY=5;BYMONTH=3;BYSETPOS=1;WKST=TU;COUNT=3",
    ),
]

SHAPE = "A rule has parts such as FREQ=WEEKLY, with semicolons between them."
CHARACTERS = "A rule has no spaces and nothing but ASCII characters."
PREFIX = "A rule is written without RRULE: in front of it."
FREQUENCIES = "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY."
BYDAY = "BYDAY has days from MO to SU, with a number from 1 to 5 or from -1 to -5, or none."
BYMONTHDAY = "BYMONTHDAY goes from 1 to 31 and from -1 to -31."
BYSETPOS = "BYSETPOS goes from 1 to 366 and from -1 to -366."
UNTIL = "UNTIL is a date such as 20261231."
HUGE = "9" * 150

INVALID = [
    ("", SHAPE),
    (";", SHAPE),
    ("FREQ=DAILY;", SHAPE),
    (";FREQ=DAILY", SHAPE),
    ("FREQ=DAILY;;COUNT=2", SHAPE),
    ("FREQ=DAILY;X-COLOR=RED", SHAPE),
    ("FREQ=DAILY;=2", SHAPE),
    ("RSCALE=GREGORIAN;FREQ=DAILY", SHAPE),
    ("DTSTART:20260101;FREQ=DAILY", SHAPE),
    ("DTSTART=20260101;FREQ=DAILY", "DTSTART is not supported."),
    ("RRULE:FREQ=DAILY", PREFIX),
    ("rrule:FREQ=DAILY", PREFIX),
    (" FREQ=DAILY", CHARACTERS),
    ("FREQ=DAILY\n", CHARACTERS),
    ("FREQ=DAILY; COUNT=2", CHARACTERS),
    ("FREQ=DAILY\t", CHARACTERS),
    ("FREQ=DAILY\x00", CHARACTERS),
    ("FREQ=DAILY;\u0131NTERVAL=2", CHARACTERS),
    ("FREQ=DAILY;INTERVAL=\u0662", CHARACTERS),
    ("FREQ=DAILY;\ud800", CHARACTERS),
    ("COUNT=2", "FREQ is missing."),
    ("FREQ", "FREQ needs a value."),
    ("FREQ=", "FREQ needs a value."),
    ("FREQ=HOURLY", FREQUENCIES),
    ("FREQ=SECONDLY", FREQUENCIES),
    ("FREQ=DAILY,WEEKLY", FREQUENCIES),
    ("FREQ==DAILY", FREQUENCIES),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice."),
    ("FREQ=DAILY;count=2;COUNT=2", "COUNT is there twice."),
    ("FREQ=DAILY;BYHOUR=9", "BYHOUR is not supported."),
    ("FREQ=DAILY;BYMINUTE=", "BYMINUTE is not supported."),
    ("BYSECOND", "BYSECOND is not supported."),
    ("FREQ=YEARLY;BYYEARDAY=1", "BYYEARDAY is not supported."),
    ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO is not supported."),
    *(
        (f"FREQ=DAILY;INTERVAL={value}", "INTERVAL goes from 1 to 999.")
        for value in ("0", "1000", "-1", "+1", "1.0", "1,2", "x", "1_0", "0x1", HUGE)
    ),
    *(
        (f"FREQ=DAILY;COUNT={value}", "COUNT goes from 1 to 999.")
        for value in ("0", "000", "1000", "-1", "+1", "1e2", HUGE)
    ),
    *(
        (f"FREQ=MONTHLY;BYDAY={value}", BYDAY)
        for value in (
            "XX",
            "MO,",
            ",MO",
            "MO,,TU",
            "0MO",
            "6MO",
            "-6MO",
            "+0MO",
            "53MO",
            "--1MO",
            "+MO",
            "MO1",
            "MO(+1)",
            "1",
            f"{HUGE}MO",
        )
    ),
    *(
        (f"FREQ=MONTHLY;BYMONTHDAY={value}", BYMONTHDAY)
        for value in ("0", "-0", "32", "-32", "+", "--1", "1,", "1,,2", "1-2", HUGE)
    ),
    *(
        (f"FREQ=YEARLY;BYMONTH={value}", "BYMONTH goes from 1 to 12.")
        for value in ("0", "13", "-1", "+1", "JAN", "1,", HUGE)
    ),
    *(
        (f"FREQ=MONTHLY;BYDAY=MO;BYSETPOS={value}", BYSETPOS)
        for value in ("0", "367", "-367", "1,", "MO", HUGE)
    ),
    *(
        (f"FREQ=DAILY;WKST={value}", "WKST is a day from MO to SU.")
        for value in ("1", "XX", "1MO", "MO,TU")
    ),
    *(
        (f"FREQ=DAILY;UNTIL={value}", UNTIL)
        for value in (
            "20260229",
            "20261301",
            "20260100",
            "00000101",
            "2026-12-31",
            "20261231T000000Z",
            "20261231T000000",
            "261231",
            "+20261231",
            "020261231",
            HUGE,
        )
    ),
    ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "COUNT does not go with UNTIL."),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY."),
    ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY has numbers only with FREQ=MONTHLY and FREQ=YEARLY."),
    ("FREQ=DAILY;BYDAY=-1MO", "BYDAY has numbers only with FREQ=MONTHLY and FREQ=YEARLY."),
    ("FREQ=MONTHLY;BYDAY=1MO,TU", "BYDAY has a number at each of its days or at none of them."),
    ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "BYSETPOS goes only with FREQ=MONTHLY and FREQ=YEARLY."),
    ("FREQ=DAILY;BYDAY=MO;BYSETPOS=1", "BYSETPOS goes only with FREQ=MONTHLY and FREQ=YEARLY."),
    ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH beside it."),
    ("FREQ=DAILY;INTERVAL=" + "0" * 180 + "2", "A rule has at most 200 characters."),
    ("x" * 1_000_000, "A rule has at most 200 characters."),
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_a_rule_has_one_canonical_form(text: str, canonical: str) -> None:
    rule = parse_rule(text)

    assert rule.text == canonical
    assert parse_rule(canonical) == rule


@pytest.mark.parametrize(("text", "message"), INVALID, ids=lambda value: ascii(value)[:60])
def test_what_is_no_rule_is_explained_in_one_sentence(text: str, message: str) -> None:
    started = time.process_time()

    with pytest.raises(InvalidRule) as error:
        parse_rule(text)

    assert str(error.value) == message
    assert time.process_time() - started < 0.1


def test_a_rule_may_have_200_characters() -> None:
    text = "FREQ=DAILY;INTERVAL=2".ljust(RECURRENCE_RULE_MAX_CHARACTERS)
    longest = text.strip().replace(
        "=2", "=" + "0" * (RECURRENCE_RULE_MAX_CHARACTERS - len(text.strip())) + "2"
    )

    assert len(longest) == RECURRENCE_RULE_MAX_CHARACTERS
    assert parse_rule(longest).text == "FREQ=DAILY;INTERVAL=2"


@pytest.mark.scenario("S007-AC-7")
def test_a_count_goes_down_to_one() -> None:
    first = parse_rule("FREQ=DAILY;INTERVAL=2;COUNT=3")
    second = first.counted_down()
    assert second is not None
    last = second.counted_down()
    assert last is not None

    assert second.text == "FREQ=DAILY;INTERVAL=2;COUNT=2"
    assert last.text == "FREQ=DAILY;INTERVAL=2;COUNT=1"
    assert last.counted_down() is None


def test_a_rule_without_count_stays() -> None:
    rule = parse_rule("FREQ=DAILY;UNTIL=20261231")

    assert rule.counted_down() == rule
    assert rule.until == date(2026, 12, 31)
