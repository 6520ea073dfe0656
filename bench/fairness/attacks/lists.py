"""Answers that are long, or that the database takes long to find."""

from typing import Final

from bench.fairness.attack import Attack, leave_early, once, repeat, together
from bench.fairness.client import Request, get, read_slowly
from bench.fairness.dataset import Data

_ALL: Final = get("/tasks")
_CHANGES: Final = get("/tasks/changes")
_EXPORT: Final = get("/users/me/export")
_SEARCH: Final = get("/tasks?q=not+there")
_SORT: Final = get("/tasks?sort=title")

ATTACKS: Final = (
    Attack("lists", "a list of 90 MB, once", once(1, _ALL), Data.LONG),
    Attack("lists", "a list of 90 MB, 20 at once", once(20, _ALL), Data.LONG),
    Attack("lists", "a list of 90 MB, 20 at once, again and again", together(20, _ALL), Data.LONG),
    Attack(
        "lists", "a list of 90 MB, 20 at once, read slowly", once(20, _ALL, read_slowly), Data.LONG
    ),
    Attack(
        "lists",
        "a list of 90 MB, 20/s, leaving after 20 ms",
        leave_early(20, _ALL, 0.02),
        Data.LONG,
    ),
    Attack(
        "lists",
        "a list of 90 MB, 20/s, leaving after 500 ms",
        leave_early(20, _ALL, 0.5),
        Data.LONG,
    ),
    Attack(
        "lists", "HEAD of a list of 90 MB, 20/s", repeat(20, Request("HEAD", "/tasks")), Data.LONG
    ),
    Attack("lists", "a list of 360 MB, once", once(1, _ALL), Data.WIDE),
    Attack("lists", "a list of 360 MB, 20 at once", once(20, _ALL), Data.WIDE),
    Attack(
        "lists", "pages of 500 long tasks, 10/s", repeat(10, get("/tasks?limit=500")), Data.LONG
    ),
    Attack(
        "lists",
        "pages of 500 long tasks, 40 at once",
        together(40, get("/tasks?limit=500")),
        Data.WIDE,
    ),
    Attack("lists", "500 changes of long tasks, 10/s", repeat(10, _CHANGES), Data.LONG),
    Attack(
        "lists",
        "500 changes of long tasks, 40, read slowly",
        once(40, _CHANGES, read_slowly),
        Data.WIDE,
    ),
    Attack("lists", "exports of 90 MB, 5 at once", together(5, _EXPORT), Data.LONG),
    Attack(
        "lists",
        "exports of 90 MB, 40 at once, read slowly",
        once(40, _EXPORT, read_slowly),
        Data.WIDE,
    ),
    Attack("lists", "lists of 10,000 tasks, 20/s", repeat(20, _ALL), Data.SMALL),
    Attack(
        "lists",
        "lists of 10,000, 20/s, leaving after 20 ms",
        leave_early(20, _ALL, 0.02),
        Data.SMALL,
    ),
    Attack(
        "lists",
        "lists of 10,000, 90/s, leaving after 20 ms",
        leave_early(90, _ALL, 0.02),
        Data.SMALL,
    ),
    Attack(
        "lists",
        "lists of 10,000, 100 at once, read slowly",
        once(100, _ALL, read_slowly),
        Data.SMALL,
    ),
    Attack("lists", "lists of 10,000 with 20 labels each, 5/s", repeat(5, _ALL), Data.LABELLED),
    Attack(
        "lists",
        "lists by a label on all, 20/s",
        repeat(20, get("/tasks?label=label-1")),
        Data.LABELLED,
    ),
    Attack(
        "lists", "labels with counts of 10,000, 50/s", repeat(50, get("/labels")), Data.LABELLED
    ),
    Attack("lists", "searches in long texts, 20/s", repeat(20, _SEARCH), Data.LONG),
    Attack(
        "lists", "searches in long texts, 50/s, leaving", leave_early(50, _SEARCH, 0.02), Data.LONG
    ),
    Attack("lists", "sorted by title, 20/s", repeat(20, _SORT), Data.SMALL),
    Attack(
        "lists",
        "pages sorted by title, 50/s",
        repeat(50, get("/tasks?sort=title&limit=20")),
        Data.SMALL,
    ),
    Attack("lists", "overdue, 50/s", repeat(50, get("/tasks?overdue=true")), Data.SMALL),
)
