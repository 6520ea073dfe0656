"""What a request costs at the database, counted before it."""

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
    """Somebody whose every request is counted."""

    person: AsyncClient
    proxy: FaultProxy
    round_trips: list[int] = field(default_factory=list[int])

    async def send(
        self, status: int, verb: str, address: str, body: object = None, **headers: str
    ) -> Response:
        """Send what gets this answer, a text as a title, and headers that are named as Python can."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.proxy.round_trips = 0
        json = {"title": body} if isinstance(body, str) else body
        answer = await self.person.request(verb, address, json=json, headers=named)
        assert answer.status_code == status, answer.text
        self.round_trips.append(self.proxy.round_trips)
        return answer


Use = Callable[[Meter], Awaitable[None]]


async def _use(meter: Meter) -> None:
    """Do everything once."""
    address = (await meter.send(201, "POST", "/tasks", "Count")).headers["location"]
    await meter.send(200, "GET", "/tasks")
    await meter.send(200, "GET", "/tasks?status=pending&q=count&limit=3")
    await meter.send(200, "GET", address)
    await meter.send(200, "PATCH", address, "New")
    await meter.send(200, "PATCH", address, "New")
    await meter.send(200, "PUT", address, "Newer")
    await meter.send(200, "GET", "/tasks/changes")
    await meter.send(200, "GET", "/tasks/changes?since=0&limit=1")
    await meter.send(204, "DELETE", address)
    await meter.send(404, "DELETE", address)


async def _use_tags(meter: Meter) -> None:
    """Do everything that tags allow, and everything that they refuse."""
    made = await meter.send(201, "POST", "/tasks", "Count")
    address, tag = made.headers["location"], made.headers["etag"]
    await meter.send(304, "GET", "/tasks", If_None_Match=tag)
    await meter.send(304, "GET", address, If_None_Match=tag)
    await meter.send(412, "PATCH", address, "New", If_Match='"1"')
    await meter.send(412, "PUT", address, "New", If_Match='"1"')
    await meter.send(412, "DELETE", address, If_Match='"1"')
    changed = await meter.send(200, "PATCH", address, "New", If_Match=tag)
    put = await meter.send(200, "PUT", address, "Newer", If_Match=changed.headers["etag"])
    await meter.send(204, "DELETE", address, If_Match=put.headers["etag"])
    await meter.send(201, "PUT", address, "Back", If_None_Match="*")
    await meter.send(204, "DELETE", address)
    new = await meter.send(201, "PUT", f"/tasks/{uuid4()}", "Offline", If_None_Match="*")
    await meter.person.delete(new.headers["location"])


async def _use_plans(meter: Meter) -> None:
    """Do everything that a plan is made of; the label is in use already, but for the first round."""
    garden = await meter.send(201, "POST", "/lists", {"name": "Garden"})
    place, plan = (
        garden.headers["location"],
        {"list_id": garden.json()["id"], "labels": ["home"], "priority": "high"},
    )
    made = await meter.send(
        201, "POST", "/tasks", {"title": "Count", "due": {"date": "2026-11-30"}, **plan}
    )
    address = made.headers["location"]
    label = f"/labels/{(await meter.send(200, 'GET', '/labels')).json()[0]['id']}"
    query = f"list_id={plan['list_id']}&label=home&priority=high&sort=due&limit=3"
    for each in (f"/tasks?{query}", "/tasks?overdue=true", "/lists", place, label):
        await meter.send(200, "GET", each)
    await meter.send(200, "PATCH", address, {"labels": ["home"], "due": None})
    await meter.send(200, "PATCH", address, {"labels": []})
    await meter.send(200, "POST", f"{address}/move", {"list_id": None})
    await meter.send(
        200, "POST", f"{address}/move", {"after": None}, Idempotency_Key=made.json()["id"]
    )
    await meter.send(200, "POST", f"{place}/move", {"after": None})
    for renamed, name in ((label, "Home"), (label, "home"), (place, "Yard")):
        await meter.send(200, "PATCH", renamed, {"name": name})
    for each in (place, address):
        await meter.send(204, "DELETE", each)


async def _lose(meter: Meter, taken: str) -> None:
    """Use a key, and come too late in every way that there is."""
    key, other = str(uuid4()), str(uuid4())
    made = await meter.send(201, "POST", "/tasks", "Once", Idempotency_Key=key)
    await meter.send(201, "POST", "/tasks", "Once", Idempotency_Key=key)
    await meter.send(422, "POST", "/tasks", "Another", Idempotency_Key=key)
    await meter.send(412, "PUT", made.headers["location"], "Mine", If_None_Match="*")
    await meter.send(409, "PUT", taken, "Mine", If_None_Match="*")
    addresses = [
        made.headers["location"],
        *[await create_task_url(meter.person) for _ in range(TASKS_MAX - 1)],
    ]
    await meter.send(422, "POST", "/tasks", "Full")
    await meter.send(422, "POST", "/tasks", "Full", Idempotency_Key=other)
    for address in addresses:
        assert (await meter.person.delete(address)).status_code == 204


async def _spent(person: AsyncClient, proxy: FaultProxy, use: Use) -> list[int]:
    """Return the round trips of each request, as soon as nothing is done for the first time any more."""
    for _ in range(WARM_UP):
        await use(Meter(person, proxy))
    meter = Meter(person, proxy)
    await use(meter)
    return meter.round_trips


@pytest.mark.scenario("S002-FR-011", "S002-SC-010")
@pytest.mark.parametrize("use", [_use, _use_tags, _use_plans])
async def test_each_request_of_a_known_owner_is_one_round_trip(
    as_isolated_user: ClientFactory, proxy: FaultProxy, use: Use
) -> None:
    assert set(await _spent(as_isolated_user("owner"), proxy, use)) == {1}


async def test_a_key_costs_nothing_and_a_lost_race_a_second_look(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    taken = await create_task_url(as_isolated_user("neighbour"))

    first, *lost = await _spent(as_isolated_user("owner"), proxy, lambda meter: _lose(meter, taken))

    assert (first, set(lost)) == (1, {2})


async def test_the_first_write_of_an_owner_is_at_most_four_round_trips(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    for number in range(WARM_UP):
        await _use(Meter(as_isolated_user(f"somebody {number}"), proxy))
    proxy.round_trips = 0

    assert (
        await as_isolated_user("new").post("/tasks", json={"title": "First"})
    ).status_code == 201
    assert proxy.round_trips <= 4


async def test_reading_makes_nobody_known(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
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
async def test_what_is_refused_never_reaches_the_database(
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
