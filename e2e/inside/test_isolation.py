"""Several users do all that can be done, and afterwards both databases hold what each of them wrote, and no more.

These tests look into the databases of a platform of their own: only there can be seen that nothing else was stored.
"""

from collections.abc import Generator
from contextlib import ExitStack
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from httpx import Client, Response
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from model import NAMING, NOBODY, NOTHING, Account, Wish, tables_of
from own_platform import OwnPlatform
from stored import OUR_TABLES, TIED, Stored
from wire import SOME_ID, Task

from devkit.people import token_headers
from devkit.tokens import user_id

SUBJECTS = ("00000000-0000-4000-8000-00000000000a", "ben", "eve")
"""One who is their own id, and two who stand for one."""

accounts = st.integers(0, len(SUBJECTS) - 1)
keys = st.sampled_from(["one", "two"])
words = st.sampled_from(["Water", "water the plants", "100 %"])
WISHES = {"title": words, "description": st.none() | words, "is_completed": st.booleans()}


RUNS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=25,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same requests in every run, and none to shorten a failure: whoever breaks isolation sees it within seconds."""

BY_HAND: list[LiteralString] = [
    "UPDATE tasks SET user_id = %(nobody)s WHERE id = %(task)s",
    """
    INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
    VALUES (%(id)s, %(nobody)s, 'Theirs', false, now(), now(), 1)
    """,
    """
    INSERT INTO task_tombstones (id, user_id, kind, version, deleted_at)
    VALUES (%(task)s, %(nobody)s, 'task', 1, now())
    """,
]
"""Rows for somebody who owns nothing here."""


def headers_of(own: OwnPlatform, subject: str) -> dict[str, str]:
    return {**token_headers(own.secret, subject), "X-Request-ID": "the-same-for-all"}


def place_of(task: Task) -> tuple[str, str]:
    return task["created_at"], task["id"]


def q_is_in(task: Task, q: str) -> bool:
    return any(q.lower() in text.lower() for text in (task["title"], task["description"] or ""))


def shown(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that a client sees but the time; all requests of these tests have the same id."""
    return answer.status_code, answer.content, {name: it for name, it in answer.headers.items() if name != "date"}


class Crowd(RuleBasedStateMachine):
    """Users who do what they may, and try what they may not."""

    ids = Bundle("ids")
    lists = Bundle("lists")
    """The ids of tasks and lists, whosoever they are, also of those that were deleted."""

    def __init__(self, clients: dict[str, Client], stored: Stored) -> None:
        super().__init__()
        stored.empty()
        self.stored = stored
        self.accounts = [Account(str(user_id(subject)), subject, client) for subject, client in clients.items()]

    @rule(target=ids, who=accounts, wish=st.fixed_dictionaries(WISHES))
    def create(self, who: int, wish: Wish) -> str:
        """Create a task."""
        answer = self.accounts[who].client.post("/tasks", json=wish)
        assert answer.status_code == 201, answer.text
        self.accounts[who].create(wish, answer.json())
        return str(answer.json()["id"])

    @rule(who=accounts, key=keys, wish=st.fixed_dictionaries(WISHES))
    def create_once(self, who: int, key: str, wish: Wish) -> None:
        """Create a task with a key that everybody else uses, too."""
        account = self.accounts[who]
        answer = account.client.post("/tasks", json=wish, headers={"Idempotency-Key": key})
        if key not in account.keys:
            assert answer.status_code == 201, answer.text
            account.create(wish, answer.json())
            account.keys[key] = wish, answer.json()
        elif told := account.replay(key, wish):
            assert (answer.status_code, answer.json()) == (201, told)
        else:
            assert (answer.status_code, answer.json()["code"]) == (422, "key-reused")

    @rule(who=accounts, task_id=ids, title=words)
    def create_named(self, who: int, task_id: str, title: str) -> None:
        """Undo a deletion; who takes an id that somebody else has learns only that it cannot be had."""
        account = self.accounts[who]
        answer = account.client.put(f"/tasks/{task_id}", json={"title": title}, headers={"If-None-Match": "*"})
        if any(task_id in each.tasks for each in self.accounts):
            assert answer.status_code == (412 if task_id in account.tasks else 409), answer.text
            account.try_to_create()
        else:
            assert answer.status_code == 201, answer.text
            account.undo({"title": title}, answer.json())

    @rule(who=accounts, task_id=ids)
    def read(self, who: int, task_id: str) -> None:
        """Read a task."""
        if answer := self._reach(who, "GET", task_id):
            assert answer.json() == self.accounts[who].tasks[task_id]

    @rule(who=accounts, task_id=ids, wish=st.fixed_dictionaries({}, optional=WISHES))
    def change(self, who: int, task_id: str, wish: Wish) -> None:
        """Change a task."""
        if answer := self._reach(who, "PATCH", task_id, wish):
            self.accounts[who].change(wish, answer.json())

    @rule(who=accounts, task_id=ids, title=words, wish=st.fixed_dictionaries({}, optional=WISHES))
    def replace(self, who: int, task_id: str, title: str, wish: Wish) -> None:
        """Replace a task."""
        if answer := self._reach(who, "PUT", task_id, {"title": title, **wish}):
            self.accounts[who].change({**NOTHING, "title": title, **wish}, answer.json())

    @rule(who=accounts, task_id=ids)
    def delete(self, who: int, task_id: str) -> None:
        """Delete a task."""
        if self._reach(who, "DELETE", task_id):
            self.accounts[who].delete(task_id)

    @initialize(target=lists)
    def begin(self) -> MultipleResults[str]:
        """Let two of them have a list of the same name."""
        return multiple(*[str(self.create_list(who, "Water")) for who in (0, 1)])

    @rule(target=lists, who=accounts, name=words)
    def create_list(self, who: int, name: str) -> str | MultipleResults[str]:
        """Make a list; that others have one of this name is no matter."""
        account = self.accounts[who]
        answer = account.client.post("/lists", json={"name": name})
        if name in {each["name"] for each in account.lists.values()}:
            assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")
            return multiple()
        assert answer.status_code == 201, answer.text
        account.create_list(name, answer.json())
        return str(answer.json()["id"])

    @rule(who=accounts, task_id=ids, list_id=lists, is_own=st.booleans())
    def put_into(self, who: int, task_id: str, list_id: str, *, is_own: bool) -> None:
        """Put a task, often one's own, into a list; somebody else's list looks missing."""
        owners = [number for number, each in enumerate(self.accounts) if is_own and task_id in each.tasks]
        account = self.accounts[who := next(iter(owners), who)]
        body: Wish = {"list_id": list_id}
        if task_id not in account.tasks or list_id in account.lists:
            if answer := self._reach(who, "POST", task_id, body, "/move"):
                account.move(list_id, answer.json())
            return
        move = f"/tasks/{task_id}/move"
        refused, missing = [account.client.post(move, json={"list_id": each}) for each in (list_id, SOME_ID)]
        assert (refused.status_code, refused.json()["code"]) == (422, "list-not-found")
        assert shown(refused) == shown(missing)

    @rule(who=accounts, list_id=lists)
    def delete_list(self, who: int, list_id: str) -> None:
        """Delete a list; if it is not the caller's, it looks missing byte for byte."""
        account = self.accounts[who]
        answer = account.client.delete(f"/lists/{list_id}")
        if list_id in account.lists:
            assert answer.status_code == 204, answer.text
            account.delete_list(list_id)
        else:
            assert answer.status_code == 404
            assert shown(answer) == shown(account.client.delete(f"/lists/{SOME_ID}"))

    @rule(who=accounts, is_completed=st.booleans(), q=words)
    def search(self, who: int, q: str, *, is_completed: bool) -> None:
        """List tasks, some of them and all."""
        account = self.accounts[who]
        some = account.client.get("/tasks", params={"is_completed": is_completed, "q": q}).json()
        everything = account.client.get("/tasks").json()

        assert some == [task for task in account.listed() if task["is_completed"] == is_completed and q_is_in(task, q)]
        assert everything == account.listed()

    @rule(who=accounts, whose=accounts, limit=st.integers(1, 3))
    def turn_a_page(self, who: int, whose: int, limit: int) -> None:
        """Follow the link to a next page, also somebody else's: behind it are one's own tasks."""
        first = self.accounts[whose].client.get("/tasks", params={"limit": limit})
        assert first.json() == self.accounts[whose].listed()[:limit]
        if "next" in first.links:
            last = first.json()[-1]
            behind = [task for task in self.accounts[who].listed() if place_of(task) > place_of(last)]
            assert self.accounts[who].client.get(first.links["next"]["url"]).json() == behind[:limit]

    @rule(who=accounts, whom=accounts, task_id=ids, place=st.sampled_from(list(NAMING)), by_subject=st.booleans())
    def name(self, who: int, whom: int, task_id: str, place: str, *, by_subject: bool) -> None:
        """Name somebody else: it is refused, and does not tell whether they exist."""
        assume(who != whom)
        other = self.accounts[whom]
        verb, path, body = NAMING[place]
        answers: list[Response] = []
        for name in (other.subject if by_subject and place not in {"look", "be"} else other.id, NOBODY):
            named = {key: text.format(who=name) for key, text in body.items()}
            address = path.format(who=name, id=task_id)
            answers.append(self.accounts[who].client.request(verb, address, json=named or None))
        assert answers[0].status_code == (422 if place == "be" else 403)
        assert shown(answers[0]) == shown(answers[1])

    @rule(who=accounts, time_zone=st.sampled_from(["UTC", "Europe/Berlin"]))
    def move(self, who: int, time_zone: str) -> None:
        """Choose a time zone."""
        account = self.accounts[who]
        account.meet(account.client.patch("/users/me", json={"time_zone": time_zone}).json(), time_zone)

    def teardown(self) -> None:
        """Compare everything that is stored with everything that should be."""
        for account in self.accounts:
            assert {each["id"] for each in account.client.get("/lists").json()} == account.lists.keys()
            if account.is_met:
                account.meet(account.client.get("/users/me").json(), account.time_zone)
        assert self.stored.everything() == tables_of(self.accounts)

    def _reach(self, who: int, verb: str, task_id: str, body: Wish | None = None, below: str = "") -> Response | None:
        """Do something to a task; if it is not the caller's, it looks missing byte for byte."""
        client = self.accounts[who].client
        answer = client.request(verb, f"/tasks/{task_id}{below}", json=body)
        if task_id in self.accounts[who].tasks:
            assert answer.is_success, answer.text
            return answer
        assert answer.status_code == 404
        assert shown(answer) == shown(client.request(verb, f"/tasks/{SOME_ID}{below}", json=body))
        return None


@pytest.fixture(scope="module")
def stored(own: OwnPlatform) -> Generator[Stored]:
    stored = Stored(own)
    yield stored
    stored.close()


@pytest.mark.scenario("S001-FR-005", "S001-SC-003", "S002-FR-002", "S002-FR-003", "S002-SC-006", "S002-SC-009")
def test_whatever_several_users_do_each_has_their_own_and_nothing_else(own: OwnPlatform, stored: Stored) -> None:
    with ExitStack() as stack:
        clients = {
            subject: stack.enter_context(Client(base_url=own.url, headers=headers_of(own, subject)))
            for subject in SUBJECTS
        }

        class OurCrowd(Crowd):
            def __init__(self) -> None:
                super().__init__(clients, stored)

        run_state_machine_as_test(OurCrowd, settings=RUNS)


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_a_link_to_another_user_written_by_hand_is_refused(own: OwnPlatform) -> None:
    ann = own.speak_as("ann-by-hand")
    task = await ann.add()

    for statement in BY_HAND:
        async with await psycopg.AsyncConnection.connect(own.urls["tasks"]) as connection:
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                await connection.execute(statement, {"id": uuid4(), "task": task["id"], "nobody": NOBODY})
    assert await ann.tasks() == [task]


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_every_table_of_the_tasks_database_is_tied_to_its_owners(own: OwnPlatform) -> None:
    tables = {row["relname"] for row in await own.stored("tasks", OUR_TABLES)}
    tied = {row["relname"] for row in await own.stored("tasks", TIED)}

    assert tables - tied == {"owners"}
