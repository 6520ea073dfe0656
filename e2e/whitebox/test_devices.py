"""Several devices of one user, some of them offline for a while, on a network that loses what it is given.

Each device is the example of docs/sync.md. All that they write is written down in the database once more, by a trigger,
so that it can be seen whether anything was written twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sync_client import LocalCopy

from devkit.platform.databases import MigratedDatabases
from e2e.support.cluster import World, a_way
from e2e.support.isolated_platform import OwnPostgres

WRITERS, DEVICES = 3, 4
"""The last device only reads."""

RUNS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)

WRITE_DOWN = """
CREATE TABLE written (user_id uuid, title text);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.title IS DISTINCT FROM OLD.title THEN INSERT INTO written VALUES (NEW.user_id, NEW.title); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER write_down AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION write_down();
"""

KILLS = 1
"""How many there are before everybody comes home."""

ATTEMPTS = 20
"""How often a device tries to come home."""

REQUESTS_MAX = 5_000
"""Far more than all of them need, unless they go round in circles."""

AWAY = (500, 502, 503)
"""What a device is told when it shall try again."""

LATER = "UPDATE task_tombstones SET deleted_at = deleted_at - interval '91 days' WHERE user_id = %s"
WRITTEN = "SELECT title FROM written JOIN owners ON id = user_id WHERE id = %s"

writers, ways, tasks = st.integers(0, WRITERS - 1), st.integers(0, 1), st.integers(0, 9)
crowds = st.sets(st.integers(0, DEVICES - 1), min_size=1)
fates = st.lists(st.booleans(), max_size=6)
"""Which of the next questions or answers get lost."""


class Devices(RuleBasedStateMachine):
    """One user's devices: each writes to its copy, and tells the server when the test lets it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.subject, self.words = world, str(uuid4()), count()
        self.clients = [way.client for way in world.ways]
        for way in world.ways:
            way.speak_as(self.subject)
        self.copies = [LocalCopy(self.clients[number % 2]) for number in range(DEVICES)]
        self.once = set[str]()
        self.killed = list[int]()
        self.unsure = set[int]()
        """Devices that do not know what became of the last thing they sent."""

    def word(self) -> str:
        """Return a title that nobody ever wrote."""
        return f"title-{next(self.words)}"

    @rule(who=writers)
    def make(self, who: int) -> None:
        """Make a task without asking anybody."""
        self.once.add(title := self.word())
        self.copies[who].write(str(uuid4()), title=title)

    @rule(which=tasks, state=st.sampled_from([None, True, False]))
    def change(self, which: int, state: object) -> None:
        """Give a task a title on every device, each another one, or complete it, or not."""
        for copy in self.copies[:WRITERS]:
            if shown := sorted(copy.view()):
                fields = {"title": self.word()} if state is None else {"is_completed": state}
                copy.write(shown[which % len(shown)], **fields)

    @rule(who=writers, which=tasks)
    def delete(self, who: int, which: int) -> None:
        """Delete a task."""
        if shown := sorted(self.copies[who].view()):
            self.copies[who].delete(shown[which % len(shown)])

    @rule(way=ways, fate=st.tuples(fates, fates))
    def create_once(self, way: int, fate: tuple[list[bool], list[bool]]) -> None:
        """Create a task with a key, and lose answers of both networks."""
        self.world.ways[way].fail([[], list(fate[0]), [], list(fate[1])])
        self._create_once(way)
        self.world.ways[way].fail([[], [], [], []])

    @rule(who=crowds, way=ways, fate=st.tuples(fates, fates, fates, fates))
    def sync(self, who: set[int], way: int, fate: tuple[list[bool], ...]) -> None:
        """Let devices tell and learn at the same time, as much as the network of one way allows."""
        self.world.ways[way].fail([list(each) for each in fate])
        with ThreadPoolExecutor() as threads:
            list(threads.map(self._sync, who))
        self.world.ways[way].fail([[], [], [], []])

    @rule(which=tasks, way=ways, fate=st.tuples(fates, fates, fates, fates))
    def quarrel(self, which: int, way: int, fate: tuple[list[bool], ...]) -> None:
        """Let everybody who knows everything change the same task, and tell it at the same time."""
        everybody = set(range(DEVICES))
        self.sync(everybody, way, ([], [], [], []))
        self.change(which, None)
        self.sync(everybody, way, fate)

    @rule()
    def let_time_pass(self) -> None:
        """Let all tombstones become so old that a deletion takes some of them away.

        Nobody waits for so long with something that they may have sent already.
        """
        for who in list(self.unsure):
            self._come_home(who)
        for _ in range(2):
            made = self._create_once()
            self.world.ask(LATER, self.subject)
            self._insist("DELETE", made.headers["location"])

    def teardown(self) -> None:
        """Bring everybody home, and compare what they have."""
        for who in [*range(DEVICES), *range(DEVICES)]:
            self._come_home(who)
        there = {task["id"]: task for task in self.clients[0].get("/tasks").json()}
        assert [copy.tasks for copy in self.copies] == [there] * DEVICES
        assert not any(copy.outbox or copy.rejected for copy in self.copies)
        times = Counter(self.world.ask(WRITTEN, self.subject))
        assert set(times.values()) <= {1}
        assert self.once <= times.keys()

    def _come_home(self, who: int) -> None:
        assert any(self._sync(who) for _ in range(ATTEMPTS))

    def _sync(self, who: int) -> bool:
        try:
            self.copies[who].sync()
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in AWAY:
                raise
            self.unsure.add(who)
        except httpx.TransportError:
            self.unsure.add(who)
        else:
            self.unsure.discard(who)
        return who not in self.unsure

    def _create_once(self, way: int = 0) -> httpx.Response:
        self.once.add(title := self.word())
        made = self._insist("POST", "/tasks", title, way)
        assert (made.status_code, made.json()["title"]) == (201, title)
        return made

    def _insist(
        self, verb: str, address: str, title: str | None = None, way: int = 0
    ) -> httpx.Response:
        """Send a request again and again until there is an answer; a title is its own key."""
        headers, body = ({"Idempotency-Key": title}, {"title": title}) if title else ({}, None)
        for number in range(way, way + ATTEMPTS):
            with suppress(httpx.TransportError):
                answer = self.clients[number % 2].request(verb, address, json=body, headers=headers)
                if answer.status_code not in AWAY:
                    return answer
        raise TimeoutError


class MortalDevices(Devices):
    """The same, and what they talk to is killed now and then."""

    @precondition(lambda self: len(self.killed) < KILLS)
    @rule(who=crowds, victim=st.integers(0, 2), milliseconds=st.integers(0, 30))
    def sync_with_the_dying(self, who: set[int], victim: int, milliseconds: int) -> None:
        """Let devices tell and learn while something is killed."""
        killed = self.world.kill(victim, milliseconds / 1000)
        with ThreadPoolExecutor() as threads:
            list(threads.map(self._sync, who))
        killed.result()
        self.killed.append(victim)


@pytest.fixture(scope="module")
async def world(server: OwnPostgres, databases: MigratedDatabases) -> AsyncGenerator[World]:
    """Run two instances of everything on the same databases."""
    urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
    async with await psycopg.AsyncConnection.connect(urls["tasks"]) as connection:
        await connection.execute(WRITE_DOWN)
    async with a_way(urls) as one, a_way(urls) as other:
        yield World(server, [one, other])


@pytest.mark.parametrize(
    ("machine", "examples", "expected"),
    [(Devices, 12, {200, 201, 204, 410, 412, 500}), (MortalDevices, 5, {500})],
)
async def test_every_device_equals_the_server_and_nothing_is_written_twice(
    world: World, machine: type[Devices], examples: int, expected: set[int]
) -> None:
    answers = Counter[int]()

    def count_answer(answer: httpx.Response) -> None:
        answers.update([answer.status_code])
        assert answers.total() < REQUESTS_MAX, answers

    class OurDevices(machine):
        def __init__(self) -> None:
            super().__init__(world)

    for way in world.ways:
        way.client.event_hooks = {"response": [count_answer]}
    runs = settings(RUNS, max_examples=examples)
    await asyncio.to_thread(run_state_machine_as_test, OurDevices, settings=runs)

    assert answers.keys() >= expected, answers
