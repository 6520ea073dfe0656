"""What is written down, and what never is."""

import json
from uuid import uuid4

import pytest
from httpx import AsyncClient

from common.logging import pseudonym
from devkit.platform.tokens import user_id_of

from .conftest import Sample

WROTE = "what a person wrote"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_request_is_one_line(client: AsyncClient, sample: Sample) -> None:
    known = str(uuid4())
    trace = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    await client.get("/things?size=5", headers={"X-Request-ID": known, **trace})

    (line,) = await sample.until_written(known)

    assert (line["service"], line["level"], line["message"]) == ("sample", "info", "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things", 200)
    assert (line["user"], line["trace_id"]) == (pseudonym(user_id_of("somebody")), TRACE)
    assert isinstance(line["milliseconds"], float)


async def test_a_refusal_names_its_code_and_no_path(client: AsyncClient, sample: Sample) -> None:
    known = str(uuid4())
    await client.get("/nowhere/secret?secret=secret", headers={"X-Request-ID": known})

    (line,) = await sample.until_written(known)

    assert (line["status"], line["reason"], line["route"]) == (404, "not-found", None)


@pytest.mark.parametrize(
    "trace", ["00-" + "z" * 32 + "-00f067aa0ba902b7-01", "secret", f"00-{TRACE}-00f0-01"]
)
async def test_a_broken_trace_is_left_out(client: AsyncClient, sample: Sample, trace: str) -> None:
    known = str(uuid4())
    await client.get("/healthz", headers={"X-Request-ID": known, "traceparent": trace})

    (line,) = await sample.until_written(known)
    assert line["trace_id"] is None


async def test_a_bug_is_written_once_with_its_cause_and_without_its_words(
    client: AsyncClient, sample: Sample
) -> None:
    known = str(uuid4())
    await client.get("/broken", headers={"X-Request-ID": known})

    failure, request = await sample.until_written(known)

    assert (failure["message"], failure["error"]) == ("failure", "builtins.RuntimeError")
    assert '"error": "builtins.KeyError"' in json.dumps(failure["cause"])
    assert "sample.py:" in json.dumps(failure["at"])
    assert WROTE not in json.dumps([failure, request])
    assert (request["level"], request["status"]) == ("error", 500)


async def test_an_answer_that_broke_off_leaves_its_cause(
    client: AsyncClient, sample: Sample
) -> None:
    known = str(uuid4())
    async with client.stream("GET", "/half/broken", headers={"X-Request-ID": known}):
        failure, request = await sample.until_written(known)

    assert failure["error"] == "builtins.RuntimeError"
    assert (request["status"], request["reason"]) == (200, "internal-server-error")


@pytest.mark.parametrize(
    ("path", "state"), [(f"/rows/{WROTE}", "23505"), (f"/numbers/{WROTE}", "22P02")]
)
async def test_a_driver_that_tells_what_a_person_wrote_is_not_repeated(
    client: AsyncClient, sample: Sample, path: str, state: str
) -> None:
    known = str(uuid4())
    await client.post(path)
    answer = await client.post(path, headers={"X-Request-ID": known})

    failure, _ = await sample.until_written(known)

    assert answer.status_code == 500
    assert (failure["sqlstate"], WROTE in answer.text) == (state, False)
    assert WROTE not in sample.process.log.read_text()


async def test_no_line_is_anything_but_json_and_nothing_in_it_lets_anybody_in(
    client: AsyncClient, sample: Sample
) -> None:
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
