"""Sequences of moves by two devices: one order, one row written for each, short positions."""

import asyncio
from collections.abc import Awaitable, Mapping
from itertools import permutations
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import JsonObject, create_list, create_task, move_task
from ..support.service import Service

TASKS = 6

DIGITS_MAX = 250
"""Of a number; a point may stand between them."""

FILL = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version, list_id, position)
SELECT (%(tasks)s::uuid[])[n], %(owner)s, n, false, now() - interval '1 hour', now(), n,
       CASE n %% 2 WHEN 0 THEN %(list)s::uuid END, 1e15 + n * CASE WHEN %(crammed)s THEN 1e-229 ELSE 1e6 END
FROM generate_series(1, cardinality(%(tasks)s::uuid[])) AS n
"""
WRITTEN = "SELECT id, xmin::text FROM tasks WHERE user_id = %s"

Orders = dict[UUID | None, tuple[UUID, ...]]
"""The tasks of a list, and those in no list."""


class Move(NamedTuple):
    """A task, its target (`stay`, `list`, `inbox`), and a task to follow, `first` or `last`."""

    task: int
    to: str
    after: int | str


class Outcome(NamedTuple):
    """What there is after moves, how each was answered, and the tasks that went elsewhere."""

    orders: Orders
    statuses: list[int]
    moved: set[UUID]


T = TypeVar("T")

moves = st.builds(
    Move,
    st.integers(0, TASKS - 1),
    st.sampled_from(["stay", "list", "inbox"]),
    st.sampled_from([*range(TASKS), "first", "last"]),
)


class Moves(RuleBasedStateMachine):
    """One user's phone and laptop, with six tasks in the inbox and in a list."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop, name = loop, f"owner-{uuid4()}"
        self.phone, self.laptop = service.client_for(name), service.client_for(name)
        self.database = psycopg.connect(service.proxy.server_url, autocommit=True)
        self.owner = UUID(self.phone.headers["x-user-id"])
        self.tasks = [uuid4() for _ in range(TASKS)]

    def teardown(self) -> None:
        """Let go of the database."""
        self.database.close()

    @initialize(crammed=st.booleans())
    def fill(self, *, crammed: bool) -> None:
        """Make the tasks, perhaps with hardly any numbers left between them."""
        [made] = self.wait(create_list(self.phone))
        self.list_id = UUID(str(made["id"]))
        values = {
            "tasks": self.tasks,
            "owner": self.owner,
            "list": self.list_id,
            "crammed": crammed,
        }
        self.database.execute(FILL, values)
        self.orders: Orders = {None: tuple(self.tasks[::2]), self.list_id: tuple(self.tasks[1::2])}
        self.crammed = crammed

    @rule(wanted=moves)
    def move(self, wanted: Move) -> None:
        """Move a task."""
        self.send(wanted)

    @rule(one=moves, other=moves)
    def move_two(self, one: Move, other: Move) -> None:
        """Move two tasks, or one twice, at the same moment."""
        self.send(one, other)

    @rule(one=moves, other=st.integers(0, TASKS - 1))
    def move_two_to_one_place(self, one: Move, other: int) -> None:
        """Move two tasks to the same place at the same moment."""
        self.send(one, one._replace(task=other))

    @invariant()
    def everybody_sees_one_order(self) -> None:
        """Look at it with both devices."""
        assert self.seen_by(self.phone) == self.seen_by(self.laptop) == self.orders

    def send(self, *wanted: Move) -> None:
        """Send moves concurrently. The result is that of some sequence, and only moved rows change."""
        before = self.written()
        devices = (self.phone, self.laptop)
        answers = self.wait(*map(self.ask, devices, wanted))
        after, orders = self.written(), self.seen_by(self.phone)
        statuses = [answer.status_code for answer in answers]
        played = [self.play(dict(turns)) for turns in permutations(enumerate(wanted))]
        found = [each for each in played if (each.orders, each.statuses) == (orders, statuses)]
        assert found, (self.orders, wanted, orders, answers)
        changed = {task for task, write in after.items() if before[task] != write}
        assert any(
            changed == each.moved or (self.crammed and changed > each.moved != set())
            for each in found
        )
        self.orders = orders

    def play(self, turns: Mapping[int, Move]) -> Outcome:
        """Say what comes out if the moves take place in these turns."""
        orders, statuses, moved = self.orders, dict[int, int](), set[UUID]()
        for number, wanted in turns.items():
            then = self.after(orders, wanted)
            statuses[number] = 422 if then is None else 200
            moved |= {self.tasks[wanted.task]} if then not in (None, orders) else set()
            orders = orders if then is None else then
        return Outcome(orders, [statuses[number] for number in sorted(statuses)], moved)

    def after(self, orders: Orders, wanted: Move) -> Orders | None:
        """Move a task in the lists, unless what it shall follow is not there."""
        task = self.tasks[wanted.task]
        home = next(each for each, tasks in orders.items() if task in tasks)
        target = {"stay": home, "inbox": None, "list": self.list_id}[wanted.to]
        if wanted.after == wanted.task and home == target:
            return orders
        left = {
            each: tuple(other for other in tasks if other != task) for each, tasks in orders.items()
        }
        place = {"first": 0, "last": len(left[target])}.get(str(wanted.after), -1)
        if place < 0:
            follows = self.tasks[int(wanted.after)]
            if follows not in left[target]:
                return None
            place = left[target].index(follows) + 1
        return {**left, target: (*left[target][:place], task, *left[target][place:])}

    def seen_by(self, device: AsyncClient) -> Orders:
        """List all tasks in order, and check that their positions are distinct and short."""
        [answer] = self.wait(device.get("/tasks?sort=position"))
        shown: list[JsonObject] = answer.json()
        orders: Orders = {}
        for list_id in self.orders:
            inside = [task for task in shown if task["list_id"] == (list_id and str(list_id))]
            places = [str(task["position"]).encode() for task in inside]
            assert places == sorted(set(places))
            assert all(len(place.replace(b".", b"")) <= DIGITS_MAX for place in places)
            orders[list_id] = tuple(UUID(str(task["id"])) for task in inside)
        return orders

    def ask(self, device: AsyncClient, wanted: Move) -> Awaitable[Response]:
        """Have a device move a task."""
        target = {"stay": {}, "inbox": {"list_id": None}, "list": {"list_id": str(self.list_id)}}[
            wanted.to
        ]
        after = {"first": {"after": None}, "last": {}}.get(str(wanted.after))
        body = target | ({"after": str(self.tasks[int(wanted.after)])} if after is None else after)
        return device.post(f"/tasks/{self.tasks[wanted.task]}/move", json=body)

    def written(self) -> dict[UUID, str]:
        """Tell which transaction has written each row."""
        return dict(self.database.execute(WRITTEN, [self.owner]).fetchall())

    def wait(self, *asked: Awaitable[T]) -> list[T]:
        """Wait for answers together: this runs beside the loop that gives them."""

        async def answered() -> list[T]:
            return await asyncio.gather(*asked)

        return asyncio.run_coroutine_threadsafe(answered(), self.loop).result()


@pytest.mark.scenario("S006-AC-4")
async def test_any_moves_of_two_devices_leave_one_order(shared_service: Service) -> None:
    loop, runs = (
        asyncio.get_running_loop(),
        settings(max_examples=15, stateful_step_count=15, database=None),
    )

    class OurMoves(Moves):
        def __init__(self) -> None:
            super().__init__(shared_service, loop)

    await asyncio.to_thread(run_state_machine_as_test, OurMoves, settings=runs)


@pytest.mark.scenario("S006-AC-10")
async def test_a_thousand_moves_into_one_gap_keep_order_and_length(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first, left, right = [await create_task(owner, title) for title in ("first", "left", "right")]
    version, rows = right["version"], list[int]()

    for number in range(1000):
        moving, other = (left, right) if number % 2 else (right, left)
        moved = await move_task(owner, moving, after=first["id"])
        rows.append(int(str(moved["version"])) - int(str(version)))
        version = (
            (await owner.get("/tasks/changes")).json()["next"] if rows[-1] > 1 else moved["version"]
        )
        assert len(str(moved["position"])) <= DIGITS_MAX + 1
        if number % 50 == 0:
            shown = (await owner.get("/tasks?list_id=none")).json()
            assert [task["id"] for task in shown] == [first["id"], moving["id"], other["id"]]
    assert 0 < sum(each > 1 for each in rows) <= 10
