"""Several users do all that can be done, and afterwards both databases hold what each of them wrote, and no more.

These tests look into the databases of a platform of their own: only there can be seen that nothing else was stored.
"""

from collections.abc import Generator
from contextlib import ExitStack

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

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.contract import SOME_ID
from e2e.support.database_state import Stored
from e2e.support.isolated_platform import OwnPlatform
from e2e.support.reference_model import (
    NAMING,
    NOBODY,
    NOTHING,
    Account,
    Wish,
    place_of,
    q_is_in,
    tables_of,
)

SUBJECTS = ("00000000-0000-4000-8000-00000000000a", "ben", "eve")
"""One who is their own id, and two who stand for one."""

accounts = st.integers(0, len(SUBJECTS) - 1)
keys = st.sampled_from(["one", "two"])
words = st.sampled_from(["Water", "water the plants", "100 %"])
label_names = st.sampled_from(["blue", "green", "red"])
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


def headers_of(own: OwnPlatform, subject: str) -> dict[str, str]:
    return {**token_headers(own.secret, subject), "X-Request-ID": "the-same-for-all"}


def shown(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that a client sees but the time; all requests of these tests have the same id."""
    return (
        answer.status_code,
        answer.content,
        {name: it for name, it in answer.headers.items() if name != "date"},
    )


class Crowd(RuleBasedStateMachine):
    """Users who do what they may, and try what they may not."""

    ids = Bundle("ids")
    lists = Bundle("lists")
    labels = Bundle("labels")
    """The ids of tasks, lists and labels, whosoever they are, also of those that were deleted."""

    def __init__(self, clients: dict[str, Client], stored: Stored) -> None:
        super().__init__()
        stored.empty()
        self.stored = stored
        self.accounts = [
            Account(str(user_id_of(subject)), subject, client)
            for subject, client in clients.items()
        ]

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
        answer = account.client.put(
            f"/tasks/{task_id}", json={"title": title}, headers={"If-None-Match": "*"}
        )
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
        account = self.accounts[who := self._owner_of(task_id) if is_own else who]
        body: Wish = {"list_id": list_id}
        if task_id not in account.tasks or list_id in account.lists:
            if answer := self._reach(who, "POST", task_id, body, "/move"):
                account.move(list_id, answer.json())
            return
        move = f"/tasks/{task_id}/move"
        refused, missing = [
            account.client.post(move, json={"list_id": each}) for each in (list_id, SOME_ID)
        ]
        assert (refused.status_code, refused.json()["code"]) == (422, "list-not-found")
        assert shown(refused) == shown(missing)

    @rule(who=accounts, list_id=lists)
    def delete_list(self, who: int, list_id: str) -> None:
        """Delete a list."""
        if self._reach(who, "DELETE", list_id, kind="lists"):
            self.accounts[who].delete_list(list_id)

    @initialize(target=labels)
    def begin_with_labels(self) -> MultipleResults[str]:
        """Let two of them have a label of the same name, and one of them another one."""
        wish: Wish = {**NOTHING, "title": "Water"}
        made = [str(self.create(who, wish)) for who in (0, 1, 1)]
        given = zip((0, 1, 1), made, ("red", "red", "blue"), strict=True)
        return multiple(
            *[label for who, task, name in given for label in self._label(who, task, {name})]
        )

    @rule(
        target=labels, who=accounts, task_id=ids, names=st.sets(label_names), is_own=st.booleans()
    )
    def label(
        self, who: int, task_id: str, names: set[str], *, is_own: bool
    ) -> MultipleResults[str]:
        """Put labels on a task, often one's own, and take all others off it."""
        return multiple(*self._label(self._owner_of(task_id) if is_own else who, task_id, names))

    def _label(self, who: int, task_id: str, names: set[str]) -> list[str]:
        account = self.accounts[who]
        answer = self._reach(who, "PATCH", task_id, {"labels": sorted(names)})
        return account.label(names, answer.json()) if answer else []

    @rule(who=accounts, label_id=labels, name=label_names)
    def rename_label(self, who: int, label_id: str, name: str) -> None:
        """Rename a label, unless another one has the name."""
        account = self.accounts[who]
        others = [each for each in account.labels.values() if each["id"] != label_id]
        if label_id in account.labels and name in {each["name"] for each in others}:
            answer = account.client.patch(f"/labels/{label_id}", json={"name": name})
            assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")
        elif renamed := self._reach(who, "PATCH", label_id, {"name": name}, kind="labels"):
            account.rename_label(name, renamed.json())

    @rule(who=accounts, label_id=labels)
    def delete_label(self, who: int, label_id: str) -> None:
        """Delete a label."""
        if self._reach(who, "DELETE", label_id, kind="labels"):
            self.accounts[who].delete_label(label_id)

    @rule(who=accounts, name=label_names)
    def look_at_labels(self, who: int, name: str) -> None:
        """List labels, and the tasks with one of them."""
        account = self.accounts[who]
        counted = [
            {**each, "task_count": len(account.carriers(each))} for each in account.labels.values()
        ]
        found = account.client.get("/tasks", params={"label": name}).json()

        assert account.client.get("/labels").json() == sorted(
            counted, key=lambda each: str(each["name"])
        )
        assert found == [task for task in account.listed() if name in task["labels"]]

    @rule(who=accounts, is_completed=st.booleans(), q=words)
    def search(self, who: int, q: str, *, is_completed: bool) -> None:
        """List tasks, some of them and all."""
        account = self.accounts[who]
        some = account.client.get("/tasks", params={"is_completed": is_completed, "q": q}).json()
        everything = account.client.get("/tasks").json()

        assert some == [
            task
            for task in account.listed()
            if task["is_completed"] == is_completed and q_is_in(task, q)
        ]
        assert everything == account.listed()

    @rule(who=accounts, whose=accounts, limit=st.integers(1, 3))
    def turn_a_page(self, who: int, whose: int, limit: int) -> None:
        """Follow the link to a next page, also somebody else's: behind it are one's own tasks."""
        first = self.accounts[whose].client.get("/tasks", params={"limit": limit})
        assert first.json() == self.accounts[whose].listed()[:limit]
        if "next" in first.links:
            last = first.json()[-1]
            behind = [
                task for task in self.accounts[who].listed() if place_of(task) > place_of(last)
            ]
            assert (
                self.accounts[who].client.get(first.links["next"]["url"]).json() == behind[:limit]
            )

    @rule(
        who=accounts,
        whom=accounts,
        task_id=ids,
        place=st.sampled_from(list(NAMING)),
        by_subject=st.booleans(),
    )
    def name(self, who: int, whom: int, task_id: str, place: str, *, by_subject: bool) -> None:
        """Name somebody else: it is refused, and does not tell whether they exist."""
        assume(who != whom)
        other = self.accounts[whom]
        verb, path, body = NAMING[place]
        answers: list[Response] = []
        for name in (
            other.subject if by_subject and place not in {"look", "be"} else other.id,
            NOBODY,
        ):
            named = {key: text.format(who=name) for key, text in body.items()}
            address = path.format(who=name, id=task_id)
            answers.append(self.accounts[who].client.request(verb, address, json=named or None))
        assert answers[0].status_code == (422 if place == "be" else 403)
        assert shown(answers[0]) == shown(answers[1])

    @rule(who=accounts, time_zone=st.sampled_from(["UTC", "Europe/Berlin"]))
    def move(self, who: int, time_zone: str) -> None:
        """Choose a time zone."""
        account = self.accounts[who]
        account.meet(
            account.client.patch("/users/me", json={"time_zone": time_zone}).json(), time_zone
        )

    def teardown(self) -> None:
        """Compare everything that is stored with everything that should be."""
        for account in self.accounts:
            assert {
                each["id"] for each in account.client.get("/lists").json()
            } == account.lists.keys()
            if account.is_met:
                account.meet(account.client.get("/users/me").json(), account.time_zone)
        assert self.stored.everything() == tables_of(self.accounts)

    def _owner_of(self, task_id: str) -> int:
        """Return whose task it is; the first one's if it is gone."""
        return next(
            (number for number, each in enumerate(self.accounts) if task_id in each.tasks), 0
        )

    def _reach(
        self,
        who: int,
        verb: str,
        its_id: str,
        body: Wish | None = None,
        below: str = "",
        kind: str = "tasks",
    ) -> Response | None:
        """Do something to a task, a list or a label; if it is not the caller's, it looks missing byte for byte."""
        account = self.accounts[who]
        answer = account.client.request(verb, f"/{kind}/{its_id}{below}", json=body)
        if (
            its_id
            in {"tasks": account.tasks, "lists": account.lists, "labels": account.labels}[kind]
        ):
            assert answer.is_success, answer.text
            return answer
        assert answer.status_code == 404
        assert shown(answer) == shown(
            account.client.request(verb, f"/{kind}/{SOME_ID}{below}", json=body)
        )
        return None


@pytest.fixture(scope="module")
def stored(own: OwnPlatform) -> Generator[Stored]:
    stored = Stored(own)
    yield stored
    stored.close()


@pytest.mark.scenario(
    "S001-FR-005", "S001-SC-003", "S002-FR-002", "S002-FR-003", "S002-SC-006", "S002-SC-009"
)
def test_whatever_several_users_do_each_has_their_own_and_nothing_else(
    own: OwnPlatform, stored: Stored
) -> None:
    with ExitStack() as stack:
        clients = {
            subject: stack.enter_context(Client(base_url=own.url, headers=headers_of(own, subject)))
            for subject in SUBJECTS
        }

        class OurCrowd(Crowd):
            def __init__(self) -> None:
                super().__init__(clients, stored)

        run_state_machine_as_test(OurCrowd, settings=RUNS)
