"""Several devices of one user, at times offline, on networks that lose messages.

Each device is the example client of docs/sync.md. A trigger in the database records every title
that is written, so that the test finds anything that was written twice.
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
from e2e.support.cluster import Cluster, MessageLosses, run_instance
from e2e.support.isolated_platform import IsolatedPostgres

WRITERS = 3
DEVICES = 4
"""The last device only reads."""

RUNS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)

RECORD_TITLES = """
CREATE TABLE written_titles (user_id uuid, title text);
CREATE FUNCTION record_title() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.title IS DISTINCT FROM OLD.title THEN
        INSERT INTO written_titles VALUES (NEW.user_id, NEW.title);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER record_title AFTER INSERT OR UPDATE ON tasks
FOR EACH ROW EXECUTE FUNCTION record_title();
"""

KILLS_MAX = 1
"""How many processes a run kills."""

ATTEMPTS = 20
"""How often a device repeats a request or a synchronization."""

REQUESTS_MAX = 5_000
"""Far more requests than a run needs, unless a device repeats itself for ever."""

RETRY_STATUSES = (500, 502, 503)
"""Responses after which a device tries again."""

AGE_TOMBSTONES = """
UPDATE task_tombstones SET deleted_at = deleted_at - interval '91 days' WHERE user_id = %s
"""
WRITTEN_TITLES = """
SELECT title FROM written_titles JOIN owners ON id = user_id WHERE id = %s
"""

Losses = list[bool]
"""Which of the next messages of a network get lost."""

writer_indexes = st.integers(0, WRITERS - 1)
instance_indexes = st.integers(0, 1)
task_indexes = st.integers(0, 9)
device_sets = st.sets(st.integers(0, DEVICES - 1), min_size=1)
losses = st.lists(st.booleans(), max_size=6)
network_losses = st.builds(MessageLosses, requests=losses, responses=losses)
NO_LOSSES = MessageLosses()


class Devices(RuleBasedStateMachine):
    """One user's devices: each writes to its local copy, and synchronizes it now and then."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster
        self.subject = str(uuid4())
        self.numbers = count()
        self.clients: list[httpx.Client] = []
        for instance in cluster.instances:
            instance.authenticate_as(self.subject)
            self.clients.append(instance.client)
        self.copies = [LocalCopy(self.clients[number % 2]) for number in range(DEVICES)]
        self.created_titles: set[str] = set()
        self.kill_count = 0
        self.uncertain_devices: set[int] = set()
        """Devices that do not know whether their last request was processed."""

    def new_title(self) -> str:
        """Return a title that no device has written yet."""
        return f"title-{next(self.numbers)}"

    @rule(device=writer_indexes)
    def create_task(self, device: int) -> None:
        """Create a task in the local copy of a device."""
        title = self.new_title()
        self.created_titles.add(title)
        self.copies[device].write(str(uuid4()), title=title)

    @rule(index=task_indexes, is_completed=st.sampled_from([None, True, False]))
    def change_task(self, index: int, is_completed: object) -> None:
        """Change a task in every local copy: its state, or its title, to a different one each."""
        for copy in self.copies[:WRITERS]:
            task_ids = sorted(copy.view())
            if not task_ids:
                continue
            fields: dict[str, object] = {"is_completed": is_completed}
            if is_completed is None:
                fields = {"title": self.new_title()}
            copy.write(task_ids[index % len(task_ids)], **fields)

    @rule(device=writer_indexes, index=task_indexes)
    def delete_task(self, device: int, index: int) -> None:
        """Delete a task in the local copy of a device."""
        task_ids = sorted(self.copies[device].view())
        if task_ids:
            self.copies[device].delete(task_ids[index % len(task_ids)])

    @rule(instance=instance_indexes, client_losses=losses, database_losses=losses)
    def create_task_with_key(
        self, instance: int, client_losses: Losses, database_losses: Losses
    ) -> None:
        """Create a task with an idempotency key, and lose responses of both networks."""
        self.cluster.instances[instance].lose_messages(
            MessageLosses(responses=client_losses), MessageLosses(responses=database_losses)
        )
        self._create_task_with_key(instance)
        self.cluster.instances[instance].lose_messages(NO_LOSSES, NO_LOSSES)

    @rule(
        devices=device_sets,
        instance=instance_indexes,
        client_losses=network_losses,
        database_losses=network_losses,
    )
    def synchronize(
        self,
        devices: set[int],
        instance: int,
        client_losses: MessageLosses,
        database_losses: MessageLosses,
    ) -> None:
        """Synchronize devices concurrently, and lose messages of one instance's networks."""
        self.cluster.instances[instance].lose_messages(client_losses, database_losses)
        self._synchronize_concurrently(devices)
        self.cluster.instances[instance].lose_messages(NO_LOSSES, NO_LOSSES)

    @rule(
        index=task_indexes,
        instance=instance_indexes,
        client_losses=network_losses,
        database_losses=network_losses,
    )
    def create_conflict(
        self,
        index: int,
        instance: int,
        client_losses: MessageLosses,
        database_losses: MessageLosses,
    ) -> None:
        """Change one task on all devices after they have synchronized, and synchronize again."""
        all_devices = set(range(DEVICES))
        self.synchronize(all_devices, instance, NO_LOSSES, NO_LOSSES)
        self.change_task(index, None)
        self.synchronize(all_devices, instance, client_losses, database_losses)

    @rule()
    def expire_tombstones(self) -> None:
        """Make all tombstones so old that the next deletion removes some of them.

        No device waits that long before it repeats a request that may have been processed.
        """
        for device in sorted(self.uncertain_devices):
            self._synchronize_until_success(device)
        for _ in range(2):
            created = self._create_task_with_key()
            self.cluster.query_tasks(AGE_TOMBSTONES, self.subject)
            self._request_until_response("DELETE", created.headers["location"])

    def teardown(self) -> None:
        """Synchronize all devices, and compare their copies with the server."""
        for _ in range(2):
            for device in range(DEVICES):
                self._synchronize_until_success(device)
        tasks = {task["id"]: task for task in self.clients[0].get("/tasks").json()}
        for copy in self.copies:
            assert copy.tasks == tasks
            assert not copy.outbox
            assert not copy.rejected
        written_titles = Counter(self.cluster.query_tasks(WRITTEN_TITLES, self.subject))
        assert set(written_titles.values()) <= {1}
        assert self.created_titles <= written_titles.keys()

    def _synchronize_concurrently(self, devices: set[int]) -> None:
        with ThreadPoolExecutor() as threads:
            futures = [threads.submit(self._synchronize, device) for device in devices]
        for future in futures:
            future.result()

    def _synchronize_until_success(self, device: int) -> None:
        for _ in range(ATTEMPTS):
            if self._synchronize(device):
                return
        raise TimeoutError

    def _synchronize(self, device: int) -> bool:
        try:
            self.copies[device].sync()
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in RETRY_STATUSES:
                raise
            self.uncertain_devices.add(device)
            return False
        except httpx.TransportError:
            self.uncertain_devices.add(device)
            return False
        self.uncertain_devices.discard(device)
        return True

    def _create_task_with_key(self, instance: int = 0) -> httpx.Response:
        title = self.new_title()
        self.created_titles.add(title)
        response = self._request_until_response("POST", "/tasks", title, instance)
        assert response.status_code == 201
        assert response.json()["title"] == title
        return response

    def _request_until_response(
        self, method: str, path: str, title: str | None = None, instance: int = 0
    ) -> httpx.Response:
        """Repeat a request, by one instance and the other in turn, until it is processed.

        Args:
            method: The method.
            path: The path.
            title: The title of a new task, which is the idempotency key as well.
            instance: The index of the instance for the first attempt.
        """
        headers: dict[str, str] = {}
        body: dict[str, str] | None = None
        if title is not None:
            headers = {"Idempotency-Key": title}
            body = {"title": title}
        for attempt in range(ATTEMPTS):
            client = self.clients[(instance + attempt) % 2]
            with suppress(httpx.TransportError):
                response = client.request(method, path, json=body, headers=headers)
                if response.status_code not in RETRY_STATUSES:
                    return response
        raise TimeoutError


class DevicesDuringKills(Devices):
    """The same devices while processes of the cluster are killed."""

    @precondition(lambda self: self.kill_count < KILLS_MAX)
    @rule(devices=device_sets, killed=st.integers(0, 2), milliseconds=st.integers(0, 30))
    def synchronize_during_kill(self, devices: set[int], killed: int, milliseconds: int) -> None:
        """Synchronize devices while the tasks service of an instance or the database is killed."""
        recovery = self.cluster.kill(killed, milliseconds / 1000)
        self._synchronize_concurrently(devices)
        recovery.result()
        self.kill_count += 1


@pytest.fixture(scope="module")
async def cluster(
    server: IsolatedPostgres, databases: MigratedDatabases
) -> AsyncGenerator[Cluster]:
    """Run two instances of the platform on the same databases."""
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    async with await psycopg.AsyncConnection.connect(urls["tasks"]) as connection:
        await connection.execute(RECORD_TITLES)
    async with run_instance(urls) as first, run_instance(urls) as second:
        yield Cluster(server, [first, second])


@pytest.mark.parametrize(
    ("machine", "examples", "expected_statuses"),
    [(Devices, 12, {200, 201, 204, 410, 412, 500}), (DevicesDuringKills, 5, {500})],
)
async def test_every_device_equals_the_server_and_nothing_is_written_twice(
    cluster: Cluster, machine: type[Devices], examples: int, expected_statuses: set[int]
) -> None:
    statuses = Counter[int]()

    def count_response(response: httpx.Response) -> None:
        statuses[response.status_code] += 1
        assert statuses.total() < REQUESTS_MAX, statuses

    class DevicesOfCluster(machine):
        def __init__(self) -> None:
            super().__init__(cluster)

    for instance in cluster.instances:
        instance.client.event_hooks = {"response": [count_response]}
    runs = settings(RUNS, max_examples=examples)
    await asyncio.to_thread(run_state_machine_as_test, DevicesOfCluster, settings=runs)

    assert statuses.keys() >= expected_statuses, statuses
