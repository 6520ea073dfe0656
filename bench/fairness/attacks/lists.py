"""Responses that are long, or that the database needs long for."""

from typing import Final

from bench.fairness.attack import (
    Attack,
    disconnect_early,
    repeat_on_connections,
    send_at_rate,
    send_once,
)
from bench.fairness.client import Request, get, read_slowly
from bench.fairness.dataset import Dataset

_ALL: Final = get("/tasks")
_CHANGES: Final = get("/tasks/changes")
_EXPORT: Final = get("/users/me/export")
_SEARCH: Final = get("/tasks?q=not+there")
_SORT: Final = get("/tasks?sort=title")

ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("lists", "a list of 90 MB, once", send_once(1, _ALL), Dataset.LONG),
    Attack("lists", "a list of 90 MB, 20 at once", send_once(20, _ALL), Dataset.LONG),
    Attack(
        "lists",
        "a list of 90 MB, 20 at once, repeatedly",
        repeat_on_connections(20, _ALL),
        Dataset.LONG,
    ),
    Attack(
        "lists",
        "a list of 90 MB, 20 at once, read slowly",
        send_once(20, _ALL, read_slowly),
        Dataset.LONG,
    ),
    Attack(
        "lists",
        "a list of 90 MB, 20/s, disconnecting after 20 ms",
        disconnect_early(20, _ALL, 0.02),
        Dataset.LONG,
    ),
    Attack(
        "lists",
        "a list of 90 MB, 20/s, disconnecting after 500 ms",
        disconnect_early(20, _ALL, 0.5),
        Dataset.LONG,
    ),
    Attack(
        "lists",
        "HEAD of a list of 90 MB, 20/s",
        send_at_rate(20, Request("HEAD", "/tasks")),
        Dataset.LONG,
    ),
    Attack("lists", "a list of 360 MB, once", send_once(1, _ALL), Dataset.WIDE),
    Attack("lists", "a list of 360 MB, 20 at once", send_once(20, _ALL), Dataset.WIDE),
    Attack(
        "lists",
        "pages of 500 long tasks, 10/s",
        send_at_rate(10, get("/tasks?limit=500")),
        Dataset.LONG,
    ),
    Attack(
        "lists",
        "pages of 500 long tasks, 40 at once",
        repeat_on_connections(40, get("/tasks?limit=500")),
        Dataset.WIDE,
    ),
    Attack("lists", "500 changes of long tasks, 10/s", send_at_rate(10, _CHANGES), Dataset.LONG),
    Attack(
        "lists",
        "500 changes of long tasks, 40, read slowly",
        send_once(40, _CHANGES, read_slowly),
        Dataset.WIDE,
    ),
    Attack("lists", "exports of 90 MB, 5 at once", repeat_on_connections(5, _EXPORT), Dataset.LONG),
    Attack(
        "lists",
        "exports of 90 MB, 40 at once, read slowly",
        send_once(40, _EXPORT, read_slowly),
        Dataset.WIDE,
    ),
    Attack("lists", "lists of 10,000 tasks, 20/s", send_at_rate(20, _ALL), Dataset.SMALL),
    Attack(
        "lists",
        "lists of 10,000, 20/s, disconnecting after 20 ms",
        disconnect_early(20, _ALL, 0.02),
        Dataset.SMALL,
    ),
    Attack(
        "lists",
        "lists of 10,000, 90/s, disconnecting after 20 ms",
        disconnect_early(90, _ALL, 0.02),
        Dataset.SMALL,
    ),
    Attack(
        "lists",
        "lists of 10,000, 100 at once, read slowly",
        send_once(100, _ALL, read_slowly),
        Dataset.SMALL,
    ),
    Attack(
        "lists", "lists of 10,000 with 20 labels each, 5/s", send_at_rate(5, _ALL), Dataset.LABELLED
    ),
    Attack(
        "lists",
        "lists by a label on all, 20/s",
        send_at_rate(20, get("/tasks?label=label-1")),
        Dataset.LABELLED,
    ),
    Attack(
        "lists",
        "labels with counts of 10,000, 50/s",
        send_at_rate(50, get("/labels")),
        Dataset.LABELLED,
    ),
    Attack("lists", "searches in long texts, 20/s", send_at_rate(20, _SEARCH), Dataset.LONG),
    Attack(
        "lists",
        "searches in long texts, 50/s, disconnecting",
        disconnect_early(50, _SEARCH, 0.02),
        Dataset.LONG,
    ),
    Attack("lists", "sorted by title, 20/s", send_at_rate(20, _SORT), Dataset.SMALL),
    Attack(
        "lists",
        "pages sorted by title, 50/s",
        send_at_rate(50, get("/tasks?sort=title&limit=20")),
        Dataset.SMALL,
    ),
    Attack("lists", "overdue, 50/s", send_at_rate(50, get("/tasks?overdue=true")), Dataset.SMALL),
)
