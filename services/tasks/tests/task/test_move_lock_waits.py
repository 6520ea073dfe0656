"""Two moves with one key, of which the second has to wait for the first."""

import asyncio

import pytest
from httpx import Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import JsonObject, create_list, create_task, problem_code
from ..support.owner_lock import lock_owners

KEY = {"Idempotency-Key": "one"}


@pytest.mark.parametrize("kind", ["tasks", "lists"])
@pytest.mark.parametrize("stays_first", [True, False])
async def test_a_key_that_another_move_took_meanwhile_moves_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy, kind: str, *, stays_first: bool
) -> None:
    owner = as_isolated_user("owner")
    made: list[JsonObject] = [
        await (create_task if kind == "tasks" else create_list)(owner, title) for title in "abc"
    ]
    order = (
        made if stays_first else made[::-1]
    )  # the first one is there already, the last one is not

    async with lock_owners(proxy) as other:
        answers: list[asyncio.Future[Response]] = []
        for each in (order[0], order[2]):
            move = owner.post(f"/{kind}/{each['id']}/move", json={"after": None}, headers=KEY)
            answers.append(asyncio.ensure_future(move))
            await wait_for_blocked_statements(proxy.server_url, len(answers))
        await other.commit()
        first, second = await asyncio.gather(*answers)

    assert first.status_code == 200
    assert problem_code(second) == (422, "key-reused")
    moved = made if stays_first else [made[2], made[0], made[1]]
    query = "?list_id=none" if kind == "tasks" else ""
    assert [each["id"] for each in (await owner.get(f"/{kind}{query}")).json()] == [
        each["id"] for each in moved
    ]
