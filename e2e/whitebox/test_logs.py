"""What services log about a request: enough to follow it, no personal data and no credentials."""

import json
from uuid import uuid4

import pytest

from common.logging import pseudonym
from devkit.platform.services import PACKAGES
from e2e.support.isolated_platform import IsolatedPlatform, IsolatedPostgres, kill_process
from e2e.support.user_client import UserClient

LogRecord = dict[str, object]

LOG_SECONDS = 5
"""How long after the response a service may take to log a request."""

SECRET_TEXT = "water-the-secret-plants"  # noqa: S105 - a text that a user writes


async def wait_for_log_records(
    isolated_platform: IsolatedPlatform, name: str, request_id: str
) -> list[LogRecord]:
    """Wait until a service has logged a request, and return all its records of it."""
    process = isolated_platform.services[name].process

    def read_records() -> list[LogRecord]:
        records: list[LogRecord] = []
        for line in process.log_lines():
            record = json.loads(line)
            if record.get("request_id") == request_id:
                records.append(record)
        return records

    async def is_logged() -> bool:
        return any(record["message"] == "request" for record in read_records())

    await process.wait_until(is_logged, seconds=LOG_SECONDS)
    return read_records()


@pytest.fixture
def user(isolated_platform: IsolatedPlatform) -> UserClient:
    """Return the client of a new user, with a request id of its own."""
    user = isolated_platform.client_for(str(uuid4()))
    user.headers["X-Request-ID"] = f"request-{uuid4()}"
    return user


@pytest.mark.parametrize(
    ("name", "request_line"),
    [
        ("gateway", ("POST", "/tasks", 201)),
        ("tasks", ("POST", "/tasks", 201)),
        ("users", ("PUT", "/internal/users/me", 204)),
    ],
)
async def test_every_service_logs_the_request_id(
    isolated_platform: IsolatedPlatform,
    user: UserClient,
    name: str,
    request_line: tuple[str, str, int],
) -> None:
    await user.create_task()

    [record] = await wait_for_log_records(isolated_platform, name, user.headers["x-request-id"])

    assert (record["method"], record["route"], record["status"]) == request_line
    assert record["user"] == pseudonym(user.id)


async def test_a_failure_is_logged_once_with_the_request_id(
    isolated_platform: IsolatedPlatform, server: IsolatedPostgres, user: UserClient
) -> None:
    kill_process(server.server.process)
    response = await user.get("/tasks")
    request_id: str = response.json()["request_id"]
    tasks_records = await wait_for_log_records(isolated_platform, "tasks", request_id)
    gateway_records = await wait_for_log_records(isolated_platform, "gateway", request_id)
    await server.start()
    await isolated_platform.wait_until_ready()

    assert response.status_code == 500
    assert request_id == user.headers["x-request-id"]
    assert [record["message"] for record in tasks_records] == ["failure", "request"]
    assert "OperationalError" in str(tasks_records[0]["error"])
    assert [record["message"] for record in gateway_records] == ["request"]


async def send_secret_text(user: UserClient) -> None:
    """Send requests with the text in every part that can contain one."""
    user.headers.update({"Cookie": f"session={SECRET_TEXT}", "User-Agent": SECRET_TEXT})
    await user.post("/tasks", json={"title": SECRET_TEXT, "description": SECRET_TEXT})
    await user.post("/tasks", json={"title": SECRET_TEXT * 20, SECRET_TEXT: SECRET_TEXT})
    await user.post("/tasks", content=f'{{"title": "{SECRET_TEXT}')
    await user.get("/tasks", params={"q": SECRET_TEXT, "cursor": SECRET_TEXT})
    await user.get(f"/tasks/{SECRET_TEXT}")
    await user.get(f"/{SECRET_TEXT}")
    await user.patch("/users/me", json={"time_zone": SECRET_TEXT})
    token = f"{SECRET_TEXT}.{SECRET_TEXT}.{SECRET_TEXT}"
    await user.get("/users/me", headers={"Authorization": f"Bearer {token}"})


async def test_logs_contain_no_personal_data_and_no_credentials(
    isolated_platform: IsolatedPlatform, server: IsolatedPostgres, user: UserClient
) -> None:
    await send_secret_text(user)
    kill_process(server.server.process)
    await send_secret_text(user)
    await server.start()
    await isolated_platform.wait_until_ready()

    token = user.headers["authorization"].removeprefix("Bearer ")
    forbidden = [SECRET_TEXT, f"{user.subject}@", user.id, isolated_platform.secret, "eyJ"]
    forbidden += token.split(".")
    for name in PACKAGES:
        log = isolated_platform.services[name].process.log.read_text()
        assert user.headers["x-request-id"] in log
        assert not [text for text in forbidden if text in log], name
