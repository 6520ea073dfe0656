"""Stored fingerprints of requests: a release must not change them.

A client may send a request, and send it again with the same Idempotency-Key after an upgrade.
"""

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import IF_ABSENT, JsonObject
from ..support.import_export import run_sql

TASK_ID = "01900000-0000-7000-8000-000000000001"
LIST_ID = "01900000-0000-7000-8000-000000000002"

FULL_TASK: JsonObject = {
    "title": "Water the plants",
    "description": "All",
    "status": "completed",
    "list_id": LIST_ID,
    "due": {"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"},
    "priority": "high",
    "labels": ["Weekend", "home"],
}

FINGERPRINTS = [
    (
        "/tasks",
        {"title": "Water the plants"},
        "6aa89e4919b8a0f668d02a789b51edecd9244835a179397185ac664b5ca73165",
    ),
    (
        "/tasks",
        FULL_TASK,
        "e1872dced6baf86521277335bcb2c83358b6e7649bebf5a5987d2d866164530c",
    ),
    (
        "/lists",
        {"name": "Garden"},
        "42468d5bc43dd4994f406985bdb9e607d27c4d20c6785d4629241ec682d8f2a2",
    ),
    (
        f"/tasks/{TASK_ID}/move",
        {"after": None},
        "5aef0dd9df98410f3d5c88898e1b0472320a7746c3be88b7c3ede4a60d51ad08",
    ),
    (
        f"/tasks/{TASK_ID}/move",
        {"list_id": LIST_ID},
        "291c7c459c20e5c0e1bf71d90e65a03a020ec146cec2d7d4f7647dba228b2bc4",
    ),
    (
        f"/lists/{LIST_ID}/move",
        {"after": None},
        "00e3b7a8d6f038ffd08cb5004408bef6760959f8686354ced9473a33c56c6acb",
    ),
]
"""Path and body of a request, and the fingerprint that the first release stored for it."""


async def _create_task_and_list(owner: AsyncClient) -> None:
    task = await owner.put(f"/tasks/{TASK_ID}", json={"title": "Old"}, headers=IF_ABSENT)
    assert task.status_code == 201
    task_list = await owner.put(f"/lists/{LIST_ID}", json={"name": "Old"}, headers=IF_ABSENT)
    assert task_list.status_code == 201


@pytest.mark.parametrize(("path", "body", "fingerprint"), FINGERPRINTS)
async def test_a_request_has_the_fingerprint_that_older_releases_stored(
    as_isolated_user: ClientFactory,
    proxy: FaultProxy,
    path: str,
    body: JsonObject,
    fingerprint: str,
) -> None:
    owner = as_isolated_user("owner")
    await _create_task_and_list(owner)

    response = await owner.post(path, json=body, headers={"Idempotency-Key": "key"})

    assert response.is_success, response.text
    stored = await run_sql(proxy, "SELECT encode(digest, 'hex') FROM idempotency_keys")
    assert stored == [(fingerprint,)]
