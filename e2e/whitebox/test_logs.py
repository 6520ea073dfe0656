"""What services write about a request: enough to follow it, nothing that a person wrote or could log in with."""

import json
from uuid import uuid4

import pytest

from common.logging import pseudonym
from devkit.platform.services import PACKAGES
from e2e.support.isolated_platform import OwnPlatform, OwnPostgres, kill
from e2e.support.user_client import Person

Line = dict[str, object]

WRITTEN_SECONDS = 5
"""How long a line may take to be written after its answer."""

WROTE = "water-the-secret-plants"


async def written(own: OwnPlatform, name: str, request_id: str) -> list[Line]:
    """Return what a service wrote about a request, as soon as it has: its answer comes first."""
    process = own.services[name].process

    def lines() -> list[Line]:
        found = map(json.loads, process.log.read_text().splitlines())
        return [line for line in found if line.get("request_id") == request_id]

    async def is_written() -> bool:
        return any(line["message"] == "request" for line in lines())

    await process.wait_until(is_written, seconds=WRITTEN_SECONDS)
    return lines()


@pytest.fixture
def person(own: OwnPlatform) -> Person:
    """Speak for somebody whom no service has met."""
    person = own.speak_as(str(uuid4()))
    person.headers["X-Request-ID"] = f"request-{uuid4()}"
    return person


@pytest.mark.parametrize(
    ("name", "request_line"),
    [
        ("gateway", ("POST", "/tasks", 201)),
        ("tasks", ("POST", "/tasks", 201)),
        ("users", ("PUT", "/internal/users/me", 204)),
    ],
)
async def test_one_id_leads_through_all_services(
    own: OwnPlatform, person: Person, name: str, request_line: tuple[str, str, int]
) -> None:
    await person.add()

    (line,) = await written(own, name, person.headers["x-request-id"])

    assert (line["method"], line["route"], line["status"]) == request_line
    assert line["user"] == pseudonym(person.id)


async def test_a_failure_is_written_once_and_found_by_its_id(
    own: OwnPlatform, server: OwnPostgres, person: Person
) -> None:
    kill(server.server.process)
    answer = await person.get("/tasks")
    known: str = answer.json()["request_id"]
    failure, *rest = await written(own, "tasks", known)
    handed_on = await written(own, "gateway", known)
    await server.start()
    await own.until_ready()

    assert (answer.status_code, known) == (500, person.headers["x-request-id"])
    assert (failure["message"], "OperationalError" in str(failure["error"])) == ("failure", True)
    assert [line["message"] for line in [*rest, *handed_on]] == ["request", "request"]


async def write_everywhere(person: Person) -> None:
    """Put the word wherever a request can have one."""
    person.headers.update({"Cookie": f"session={WROTE}", "User-Agent": WROTE})
    await person.post("/tasks", json={"title": WROTE, "description": WROTE})
    await person.post("/tasks", json={"title": WROTE * 20, WROTE: WROTE})
    await person.post("/tasks", content=f'{{"title": "{WROTE}')
    await person.get("/tasks", params={"q": WROTE, "cursor": WROTE})
    await person.get(f"/tasks/{WROTE}")
    await person.get(f"/{WROTE}")
    await person.patch("/users/me", json={"time_zone": WROTE})
    await person.get("/users/me", headers={"Authorization": f"Bearer {WROTE}.{WROTE}.{WROTE}"})


async def test_nothing_is_written_that_a_person_wrote_or_could_log_in_with(
    own: OwnPlatform, server: OwnPostgres, person: Person
) -> None:
    await write_everywhere(person)
    kill(server.server.process)
    await write_everywhere(person)
    await server.start()
    await own.until_ready()

    token = person.headers["authorization"].removeprefix("Bearer ")
    secrets = [WROTE, f"{person.subject}@", person.id, own.secret, *token.split("."), "eyJ"]
    for name in PACKAGES:
        log = own.services[name].process.log.read_text()
        assert person.headers["x-request-id"] in log
        assert not [secret for secret in secrets if secret in log], name
