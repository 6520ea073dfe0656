"""Database round trips of each request, counted by a proxy."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.owner_lock import create_task_url
from ..support.service import TASKS_MAX, Service

WARM_UP = 8
"""Repetitions until the connection is open and the driver has prepared the statements."""

NOWHERE = "/tasks/01900000-0000-7000-8000-000000000000"


@dataclass
class Meter:
    """A client that counts the round trips of each request."""

    client: AsyncClient
    proxy: FaultProxy
    round_trips: list[int] = field(default_factory=list[int])

    async def send(
        self, status: int, method: str, url: str, body: object = None, **headers: str
    ) -> Response:
        """Send a request and check the status of the response.

        Args:
            status: The expected status.
            method: The HTTP method.
            url: The path.
            body: The JSON, or a text that becomes the title.
            headers: Request headers, with underscores for hyphens.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.proxy.round_trips = 0
        json = {"title": body} if isinstance(body, str) else body
        response = await self.client.request(method, url, json=json, headers=named)
        assert response.status_code == status, response.text
        self.round_trips.append(self.proxy.round_trips)
        return response


Use = Callable[[Meter], Awaitable[None]]


async def _use_all_endpoints(meter: Meter) -> None:
    """Use each endpoint of tasks once."""
    url = (await meter.send(201, "POST", "/tasks", "Count")).headers["location"]
    await meter.send(200, "GET", "/tasks")
    await meter.send(200, "GET", "/tasks?status=pending&q=count&limit=3")
    await meter.send(200, "GET", url)
    await meter.send(200, "PATCH", url, "New")
    await meter.send(200, "PATCH", url, "New")
    await meter.send(200, "PUT", url, "Newer")
    await meter.send(200, "GET", "/tasks/changes")
    await meter.send(200, "GET", "/tasks/changes?since=0&limit=1")
    await meter.send(204, "DELETE", url)
    await meter.send(404, "DELETE", url)


async def _use_etags(meter: Meter) -> None:
    """Send conditional requests that succeed and that fail."""
    created = await meter.send(201, "POST", "/tasks", "Count")
    url, tag = created.headers["location"], created.headers["etag"]
    await meter.send(304, "GET", "/tasks", If_None_Match=tag)
    await meter.send(304, "GET", url, If_None_Match=tag)
    await meter.send(412, "PATCH", url, "New", If_Match='"1"')
    await meter.send(412, "PUT", url, "New", If_Match='"1"')
    await meter.send(412, "DELETE", url, If_Match='"1"')
    changed = await meter.send(200, "PATCH", url, "New", If_Match=tag)
    put = await meter.send(200, "PUT", url, "Newer", If_Match=changed.headers["etag"])
    await meter.send(204, "DELETE", url, If_Match=put.headers["etag"])
    await meter.send(201, "PUT", url, "Back", If_None_Match="*")
    await meter.send(204, "DELETE", url)
    new = await meter.send(201, "PUT", f"/tasks/{uuid4()}", "Offline", If_None_Match="*")
    await meter.client.delete(new.headers["location"])


async def _use_planning(meter: Meter) -> None:
    """Use the endpoints of the planning feature. From the second time on, the label exists."""
    garden = await meter.send(201, "POST", "/lists", {"name": "Garden"})
    list_url, planning_fields = (
        garden.headers["location"],
        {"list_id": garden.json()["id"], "labels": ["home"], "priority": "high"},
    )
    created = await meter.send(
        201, "POST", "/tasks", {"title": "Count", "due": {"date": "2026-11-30"}, **planning_fields}
    )
    url = created.headers["location"]
    label = f"/labels/{(await meter.send(200, 'GET', '/labels')).json()[0]['id']}"
    query = f"list_id={planning_fields['list_id']}&label=home&priority=high&sort=due&limit=3"
    for read_url in (f"/tasks?{query}", "/tasks?overdue=true", "/lists", list_url, label):
        await meter.send(200, "GET", read_url)
    await meter.send(200, "PATCH", url, {"labels": ["home"], "due": None})
    await meter.send(200, "PATCH", url, {"labels": []})
    await meter.send(200, "POST", f"{url}/move", {"list_id": None})
    await meter.send(
        200, "POST", f"{url}/move", {"after": None}, Idempotency_Key=created.json()["id"]
    )
    await meter.send(200, "POST", f"{list_url}/move", {"after": None})
    for renamed_url, name in ((label, "Home"), (label, "home"), (list_url, "Yard")):
        await meter.send(200, "PATCH", renamed_url, {"name": name})
    for read_url in (list_url, url):
        await meter.send(204, "DELETE", read_url)


async def _use_subtasks(meter: Meter) -> None:
    """Give tasks a parent and a list, and take both away."""
    garden = await meter.send(201, "POST", "/lists", {"name": "Garden"})
    list_url, in_garden = garden.headers["location"], {"list_id": garden.json()["id"]}
    url = (await meter.send(201, "POST", "/tasks", "Parent")).headers["location"]
    under_parent = {"parent_id": url.removeprefix("/tasks/")}
    subtask = await meter.send(201, "POST", "/tasks", {"title": "Subtask", **under_parent})
    subtask_url = subtask.headers["location"]
    await meter.send(200, "GET", f"/tasks?parent_id={under_parent['parent_id']}")
    await meter.send(200, "GET", "/tasks?parent_id=none")
    await meter.send(200, "PATCH", subtask_url, {"parent_id": None})
    await meter.send(200, "PATCH", subtask_url, {"title": "New", **under_parent})
    await meter.send(200, "PATCH", url, in_garden)
    await meter.send(422, "PATCH", url, under_parent)
    await meter.send(422, "POST", f"{subtask_url}/move", {"list_id": None})
    await meter.send(200, "POST", f"{url}/move", {"list_id": None})
    await meter.send(204, "DELETE", f"{url}?subtasks=delete")
    await meter.send(204, "DELETE", list_url)


async def _use_key_and_conflict(meter: Meter, taken: str) -> None:
    """Create with a key, then send each kind of creation that conflicts."""
    key, other = str(uuid4()), str(uuid4())
    created = await meter.send(201, "POST", "/tasks", "Once", Idempotency_Key=key)
    await meter.send(201, "POST", "/tasks", "Once", Idempotency_Key=key)
    await meter.send(422, "POST", "/tasks", "Another", Idempotency_Key=key)
    await meter.send(412, "PUT", created.headers["location"], "Mine", If_None_Match="*")
    await meter.send(409, "PUT", taken, "Mine", If_None_Match="*")
    urls = [
        created.headers["location"],
        *[await create_task_url(meter.client) for _ in range(TASKS_MAX - 1)],
    ]
    await meter.send(422, "POST", "/tasks", "Full")
    await meter.send(422, "POST", "/tasks", "Full", Idempotency_Key=other)
    for url in urls:
        assert (await meter.client.delete(url)).status_code == 204


async def _measure(client: AsyncClient, proxy: FaultProxy, use: Use) -> list[int]:
    """Return the round trips of each request after a warm-up."""
    for _ in range(WARM_UP):
        await use(Meter(client, proxy))
    meter = Meter(client, proxy)
    await use(meter)
    return meter.round_trips


async def _use_recurring_tasks_otherwise(meter: Meter) -> None:
    """Change a task that repeats in ways that have nothing to do with its successor."""
    due = {"date": "2126-11-30"}
    body = {"title": "Count", "due": due, "recurrence": {"rule": "FREQ=DAILY"}}
    created = await meter.send(201, "POST", "/tasks", body)
    url = created.headers["location"]
    await meter.send(200, "PATCH", url, "New")
    await meter.send(200, "PATCH", url, {"due": {"date": "2126-12-01"}})
    await meter.send(200, "PATCH", url, {"due": due, "recurrence": {"rule": "FREQ=WEEKLY"}})
    await meter.send(422, "PATCH", url, {"due": None})
    await meter.send(200, "PUT", url, {"title": "x", "recurrence": None, "is_completed": True})
    await meter.send(200, "PATCH", url, {"is_completed": True})
    await meter.send(200, "PATCH", url, {"is_completed": False})
    await meter.send(204, "DELETE", url)


USES = [
    _use_all_endpoints,
    _use_etags,
    _use_planning,
    _use_subtasks,
    _use_recurring_tasks_otherwise,
]


@pytest.mark.scenario("S002-FR-011", "S002-SC-010")
@pytest.mark.parametrize("use", USES)
async def test_each_request_of_a_known_owner_is_one_round_trip(
    as_isolated_user: ClientFactory, proxy: FaultProxy, use: Use
) -> None:
    assert set(await _measure(as_isolated_user("owner"), proxy, use)) == {1}


async def _use_recurrence(meter: Meter) -> None:
    """Complete and reopen a task that repeats, with a subtask and labels."""
    recurrence = {"rule": "FREQ=DAILY", "from": "due"}
    body = {"title": "Count", "due": {"date": "2126-11-30"}, "recurrence": recurrence}
    created = await meter.client.post("/tasks", json=body)
    url = created.headers["location"]
    await meter.client.post("/tasks", json={"title": "x", "parent_id": created.json()["id"]})
    await meter.send(200, "PATCH", url, {"is_completed": True})
    await meter.send(200, "PATCH", url, {"is_completed": False, "labels": ["home"]})
    await meter.send(200, "PATCH", url, {"is_completed": True, "labels": ["garden"]})
    await meter.send(200, "PATCH", url, {"is_completed": False, "recurrence": recurrence})
    await meter.send(200, "PUT", url, body | {"is_completed": True})
    for task in (await meter.client.get("/tasks")).json():
        await meter.client.delete(f"/tasks/{task['id']}")


async def test_completing_a_task_that_repeats_is_at_most_four_round_trips(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    round_trips = await _measure(as_isolated_user("owner"), proxy, _use_recurrence)

    # Without the lock, the first of three statements finds out that the task repeats.
    assert round_trips == [3, 3, 3, 2, 3]


async def test_a_key_costs_no_round_trip_and_a_conflict_one(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    taken = await create_task_url(as_isolated_user("neighbour"))

    first, *conflicting = await _measure(
        as_isolated_user("owner"), proxy, lambda meter: _use_key_and_conflict(meter, taken)
    )

    assert (first, set(conflicting)) == (1, {2})


async def test_the_first_write_of_an_owner_is_at_most_four_round_trips(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    for number in range(WARM_UP):
        await _use_all_endpoints(Meter(as_isolated_user(f"somebody {number}"), proxy))
    proxy.round_trips = 0

    assert (
        await as_isolated_user("new").post("/tasks", json={"title": "First"})
    ).status_code == 201
    assert proxy.round_trips <= 4


async def test_reading_inserts_no_owner(as_isolated_user: ClientFactory, proxy: FaultProxy) -> None:
    for _ in range(WARM_UP):
        await as_isolated_user("visitor").get("/tasks")
    proxy.round_trips = 0

    assert (await as_isolated_user("visitor").get("/tasks")).json() == []
    assert proxy.round_trips == 1


@pytest.mark.parametrize(
    ("status", "request_line", "body", "headers"),
    [
        (422, "POST /tasks", {"title": ""}, {}),
        (403, "POST /tasks", {"title": "x", "user_id": "other"}, {}),
        (400, "POST /tasks", {"title": "x"}, {"Idempotency-Key": "a b"}),
        (400, f"PUT {NOWHERE}", {"title": "x"}, {"If-None-Match": '"1"'}),
        (400, f"PATCH {NOWHERE}", {"title": "x"}, {"If-Match": "1"}),
        (400, f"DELETE {NOWHERE}", None, {"If-Match": "1"}),
        (400, "GET /tasks", None, {"If-None-Match": "1"}),
        (400, "GET /tasks?cursor=x", None, {}),
        (400, "GET /tasks/changes?since=x", None, {}),
        (400, "GET /tasks/5", None, {}),
        (401, "GET /tasks", None, {"X-User-Id": "other"}),
    ],
)
async def test_a_rejected_request_never_reaches_the_database(
    as_user: ClientFactory,
    shared_service: Service,
    status: int,
    request_line: str,
    body: object,
    headers: dict[str, str],
) -> None:
    owner = as_user("owner")
    await owner.get("/tasks")
    shared_service.proxy.round_trips = 0

    assert (
        await owner.request(*request_line.split(), json=body, headers=headers)
    ).status_code == status
    assert shared_service.proxy.round_trips == 0
