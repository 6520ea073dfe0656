"""What is logged, and what is never logged."""

import json
from uuid import uuid4

import pytest
from httpx import AsyncClient

from common.logging import pseudonym
from devkit.platform.tokens import user_id_of

from .conftest import Sample

WROTE = "what a user wrote"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_request_is_one_line(client: AsyncClient, sample: Sample) -> None:
    request_id = str(uuid4())
    trace = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    await client.get("/things?size=5", headers={"X-Request-ID": request_id, **trace})

    (line,) = await sample.wait_for_request_log(request_id)

    assert (line["service"], line["level"], line["message"]) == ("sample", "info", "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things", 200)
    assert (line["user"], line["trace_id"]) == (pseudonym(user_id_of("ann")), TRACE)
    assert isinstance(line["milliseconds"], float)


async def test_a_problem_is_logged_with_its_code_and_without_the_path(
    client: AsyncClient, sample: Sample
) -> None:
    request_id = str(uuid4())
    await client.get("/nowhere/secret?secret=secret", headers={"X-Request-ID": request_id})

    (line,) = await sample.wait_for_request_log(request_id)

    assert (line["status"], line["reason"], line["route"]) == (404, "not-found", None)


@pytest.mark.parametrize(
    "trace", ["00-" + "z" * 32 + "-00f067aa0ba902b7-01", "secret", f"00-{TRACE}-00f0-01"]
)
async def test_an_invalid_trace_id_is_not_logged(
    client: AsyncClient, sample: Sample, trace: str
) -> None:
    request_id = str(uuid4())
    await client.get("/healthz", headers={"X-Request-ID": request_id, "traceparent": trace})

    (line,) = await sample.wait_for_request_log(request_id)
    assert line["trace_id"] is None


async def test_a_bug_is_logged_once_with_its_cause_and_without_messages(
    client: AsyncClient, sample: Sample
) -> None:
    request_id = str(uuid4())
    await client.get("/broken", headers={"X-Request-ID": request_id})

    failure, request = await sample.wait_for_request_log(request_id)

    assert (failure["message"], failure["error"]) == ("failure", "builtins.RuntimeError")
    assert '"error": "builtins.KeyError"' in json.dumps(failure["cause"])
    assert "sample.py:" in json.dumps(failure["at"])
    assert WROTE not in json.dumps([failure, request])
    assert (request["level"], request["status"]) == ("error", 500)


async def test_a_response_that_breaks_off_is_logged_with_its_cause(
    client: AsyncClient, sample: Sample
) -> None:
    request_id = str(uuid4())
    async with client.stream("GET", "/half/broken", headers={"X-Request-ID": request_id}):
        failure, request = await sample.wait_for_request_log(request_id)

    assert failure["error"] == "builtins.RuntimeError"
    assert (request["status"], request["reason"]) == (200, "internal-server-error")


@pytest.mark.parametrize(
    ("path", "state"), [(f"/rows/{WROTE}", "23505"), (f"/numbers/{WROTE}", "22P02")]
)
async def test_user_data_in_driver_messages_is_not_logged(
    client: AsyncClient, sample: Sample, path: str, state: str
) -> None:
    request_id = str(uuid4())
    await client.post(path)
    response = await client.post(path, headers={"X-Request-ID": request_id})

    failure, _ = await sample.wait_for_request_log(request_id)

    assert response.status_code == 500
    assert (failure["sqlstate"], WROTE in response.text) == (state, False)
    assert WROTE not in sample.process.log.read_text()


async def test_every_log_line_is_json_without_secrets(client: AsyncClient, sample: Sample) -> None:
    token = client.headers["authorization"].removeprefix("Bearer ")
    odd = {
        "X-Request-ID": 'abcdefgh\t{"level": "forged"}',
        "User-Agent": "secret-agent",
        "Cookie": "secret-cookie",
    }
    await client.get("/things/%0A%7B%22level%22%3A%22forged%22%7D", headers=odd)
    await client.get("/things", headers={"Authorization": f"Bearer {token}x"})

    written = sample.process.log.read_text()

    assert all(
        json.loads(line)["level"] in {"info", "error", "warning"} for line in written.splitlines()
    )
    assert not [
        word for word in (token, "forged", "secret-agent", "secret-cookie") if word in written
    ]
