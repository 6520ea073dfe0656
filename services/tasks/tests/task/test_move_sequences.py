"""Sequences of moves by two devices: one order, one row written for each, short positions."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final, TypeVar
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

from ..support.helpers import create_list, create_task, field_values, move_task, status_codes
from ..support.service import Service

TASKS = 6

DIGITS_MAX = 250
"""Of a position; one of its characters may be a point."""

FILL = """
INSERT INTO tasks (
    id, user_id, title, is_completed, created_at, updated_at, version, list_id, position
)
SELECT (%(tasks)s::uuid[])[n], %(owner)s, n, false, now() - interval '1 hour', now(), n,
       CASE n %% 2 WHEN 0 THEN %(list)s::uuid END,
       1e15 + n * CASE WHEN %(crammed)s THEN 1e-229 ELSE 1e6 END
FROM generate_series(1, cardinality(%(tasks)s::uuid[])) AS n
"""

SELECT_ROW_WRITERS = "SELECT id, xmin::text FROM tasks WHERE user_id = %s"

Orders = dict[UUID | None, tuple[UUID, ...]]
"""The tasks of each list in order, and under `None` those in no list."""

T = TypeVar("T")


@dataclass(frozen=True)
class Move:
    """A move of a task.

    Attributes:
        task: The number of the task.
        target: `stay`, `list` or `inbox`.
        after: The number of the task to follow, or `first` or `last`.
    """

    task: int
    target: str
    after: int | str


@dataclass(frozen=True)
class Outcome:
    """The state after some moves, the status of each response, and the tasks that were moved."""

    orders: Orders
    statuses: list[int]
    moved: set[UUID]


AFTER: Final[list[int | str]] = ["first", "last"]
AFTER.extend(range(TASKS))

moves = st.builds(
    Move,
    task=st.integers(0, TASKS - 1),
    target=st.sampled_from(["stay", "list", "inbox"]),
    after=st.sampled_from(AFTER),
)


class Moves(RuleBasedStateMachine):
    """One user's phone and laptop, with six tasks in the inbox and in a list."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        name = f"owner-{uuid4()}"
        self.phone = service.client_for(name)
        self.laptop = service.client_for(name)
        self.database = psycopg.connect(service.proxy.server_url, autocommit=True)
        self.owner_id = UUID(self.phone.headers["x-user-id"])
        self.tasks = [uuid4() for _ in range(TASKS)]

    def teardown(self) -> None:
        """Close the connection to the database."""
        self.database.close()

    @initialize(crammed=st.booleans())
    def fill(self, *, crammed: bool) -> None:
        """Create the tasks; `crammed` leaves hardly any numbers between their positions."""
        task_list = self.wait(create_list(self.phone))
        self.list_id = UUID(str(task_list["id"]))
        self.crammed = crammed
        params = {
            "tasks": self.tasks,
            "owner": self.owner_id,
            "list": self.list_id,
            "crammed": crammed,
        }
        self.database.execute(FILL, params)
        self.orders: Orders = {None: tuple(self.tasks[::2]), self.list_id: tuple(self.tasks[1::2])}

    @rule(move=moves)
    def move(self, move: Move) -> None:
        """Move a task."""
        self.send([move])

    @rule(move=moves, other_move=moves)
    def move_two(self, move: Move, other_move: Move) -> None:
        """Move two tasks, or one twice, at the same moment."""
        self.send([move, other_move])

    @rule(move=moves, other_task=st.integers(0, TASKS - 1))
    def move_two_to_one_position(self, move: Move, other_task: int) -> None:
        """Move two tasks to the same position at the same moment."""
        self.send([move, replace(move, task=other_task)])

    @invariant()
    def both_devices_read_one_order(self) -> None:
        """Read the order with both devices."""
        assert self.read_orders(self.phone) == self.orders
        assert self.read_orders(self.laptop) == self.orders

    def send(self, moves: list[Move]) -> None:
        """Send moves concurrently, the first by the phone, the second by the laptop.

        The result must be that of some sequence, and only rows that it moves may change.
        """
        writers_before = self.row_writers()
        devices = [self.phone, self.laptop]
        requests = [self.request(devices[number], move) for number, move in enumerate(moves)]
        responses = self.wait(_gather(requests))
        writers_after = self.row_writers()
        orders = self.read_orders(self.phone)

        statuses = status_codes(responses)
        outcomes: list[Outcome] = []
        for sequence in permutations(range(len(moves))):
            outcome = self.apply_sequence(moves, sequence)
            if outcome.orders == orders and outcome.statuses == statuses:
                outcomes.append(outcome)
        assert outcomes, (self.orders, moves, orders, responses)

        changed: set[UUID] = set()
        for task, writer in writers_after.items():
            if writers_before[task] != writer:
                changed.add(task)
        assert any(self.may_change(outcome.moved, changed) for outcome in outcomes)
        self.orders = orders

    def may_change(self, moved: set[UUID], changed: set[UUID]) -> bool:
        """Return whether a sequence that moves some tasks may change these rows.

        Where no numbers are left between two positions, a move renumbers other rows, too.
        """
        if changed == moved:
            return True
        return self.crammed and bool(moved) and changed > moved

    def apply_sequence(self, moves: list[Move], sequence: tuple[int, ...]) -> Outcome:
        """Return the outcome of moves that take place one after another.

        Args:
            moves: The moves.
            sequence: Their numbers in the order in which they take place.
        """
        orders = self.orders
        statuses = [200] * len(moves)
        moved: set[UUID] = set()
        for number in sequence:
            next_orders = self.apply_move(orders, moves[number])
            if next_orders is None:
                statuses[number] = 422
                continue
            if next_orders != orders:
                moved.add(self.tasks[moves[number].task])
            orders = next_orders
        return Outcome(orders, statuses, moved)

    def apply_move(self, orders: Orders, move: Move) -> Orders | None:
        """Return the orders after a move, or `None` if the task to follow is not in the target."""
        task = self.tasks[move.task]
        [current] = [list_id for list_id, tasks in orders.items() if task in tasks]
        targets = {"stay": current, "inbox": None, "list": self.list_id}
        target = targets[move.target]
        if move.after == move.task and target == current:
            return orders

        others = [other for other in orders[target] if other != task]
        if move.after == "first":
            index = 0
        elif move.after == "last":
            index = len(others)
        else:
            predecessor = self.tasks[int(move.after)]
            if predecessor not in others:
                return None
            index = others.index(predecessor) + 1
        others.insert(index, task)

        next_orders = dict(orders)
        next_orders[current] = tuple(other for other in orders[current] if other != task)
        next_orders[target] = tuple(others)
        return next_orders

    def read_orders(self, device: AsyncClient) -> Orders:
        """List all tasks in order, and check that their positions are distinct and short."""
        response = self.wait(device.get("/tasks?sort=position"))
        orders: Orders = {None: (), self.list_id: ()}
        positions: dict[UUID | None, list[bytes]] = {None: [], self.list_id: []}
        for task in response.json():
            list_id = None
            if task["list_id"] is not None:
                list_id = UUID(task["list_id"])
            orders[list_id] += (UUID(task["id"]),)
            positions[list_id].append(task["position"].encode())
        for list_positions in positions.values():
            assert list_positions == sorted(set(list_positions))
            for position in list_positions:
                assert len(position.replace(b".", b"")) <= DIGITS_MAX
        return orders

    def request(self, device: AsyncClient, move: Move) -> Awaitable[Response]:
        """Return a device's request to move a task."""
        body: dict[str, str | None] = {}
        if move.target == "inbox":
            body["list_id"] = None
        elif move.target == "list":
            body["list_id"] = str(self.list_id)
        if move.after == "first":
            body["after"] = None
        elif move.after != "last":
            body["after"] = str(self.tasks[int(move.after)])
        return device.post(f"/tasks/{self.tasks[move.task]}/move", json=body)

    def row_writers(self) -> dict[UUID, str]:
        """Return the id of the transaction that last wrote each task's row."""
        return dict(self.database.execute(SELECT_ROW_WRITERS, [self.owner_id]).fetchall())

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Run on the test's event loop, from the thread of the state machine."""

        async def run() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result()


async def _gather(requests: list[Awaitable[Response]]) -> list[Response]:
    return await asyncio.gather(*requests)


@pytest.mark.scenario("S006-AC-4")
async def test_any_moves_of_two_devices_leave_one_order(shared_service: Service) -> None:
    loop = asyncio.get_running_loop()
    run_settings = settings(max_examples=15, stateful_step_count=15, database=None)

    class ServiceMoves(Moves):
        def __init__(self) -> None:
            super().__init__(shared_service, loop)

    await asyncio.to_thread(run_state_machine_as_test, ServiceMoves, settings=run_settings)


@pytest.mark.scenario("S006-AC-10")
async def test_a_thousand_moves_into_one_gap_keep_order_and_length(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await create_task(owner, "first")
    other = await create_task(owner, "left")
    moved = await create_task(owner, "right")
    version = int(str(moved["version"]))
    renumberings = 0

    for number in range(1000):
        moved = await move_task(owner, moved, after=first["id"])
        assert len(str(moved["position"])) <= DIGITS_MAX + 1
        rows_written = int(str(moved["version"])) - version
        version = int(str(moved["version"]))
        if rows_written > 1:
            renumberings += 1
            version = int((await owner.get("/tasks/changes")).json()["next"])
        if number % 50 == 0:
            tasks = (await owner.get("/tasks?list_id=none")).json()
            assert field_values(tasks, "id") == [first["id"], moved["id"], other["id"]]
        moved, other = other, moved
    assert 0 < renumberings <= 10
