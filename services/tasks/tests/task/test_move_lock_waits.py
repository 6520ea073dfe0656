"""Two moves with one key, of which the second has to wait for the first."""

import asyncio

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import create_list, create_task, field_values, problem_code
from ..support.owner_lock import lock_owners

KEY = {"Idempotency-Key": "one"}


async def _move_to_start(owner: AsyncClient, path: str) -> Response:
    return await owner.post(f"{path}/move", json={"after": None}, headers=KEY)


async def _move_first_and_last_with_one_key(
    owner: AsyncClient,
    proxy: FaultProxy,
    first_path: str,
    last_path: str,
    *,
    begin_with_first: bool,
) -> None:
    """Send both moves while the owner is locked; check that the second one is rejected.

    The move of the first item to the start changes nothing, that of the last one does.
    """
    paths = [first_path, last_path]
    if not begin_with_first:
        paths.reverse()

    async with lock_owners(proxy) as lock_holder:
        accepted = asyncio.ensure_future(_move_to_start(owner, paths[0]))
        await wait_for_blocked_statements(proxy.server_url, 1)
        rejected = asyncio.ensure_future(_move_to_start(owner, paths[1]))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.commit()

    assert (await accepted).status_code == 200
    assert problem_code(await rejected) == (422, "key-reused")


@pytest.mark.parametrize(
    ("begin_with_first", "order"), [(True, ["a", "b", "c"]), (False, ["c", "a", "b"])]
)
async def test_a_key_that_another_task_move_took_meanwhile_moves_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy, order: list[str], *, begin_with_first: bool
) -> None:
    owner = as_isolated_user("owner")
    tasks = [await create_task(owner, title) for title in "abc"]

    await _move_first_and_last_with_one_key(
        owner,
        proxy,
        f"/tasks/{tasks[0]['id']}",
        f"/tasks/{tasks[2]['id']}",
        begin_with_first=begin_with_first,
    )

    response = await owner.get("/tasks?list_id=none")
    assert field_values(response.json(), "title") == order


@pytest.mark.parametrize(
    ("begin_with_first", "order"), [(True, ["a", "b", "c"]), (False, ["c", "a", "b"])]
)
async def test_a_key_that_another_list_move_took_meanwhile_moves_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy, order: list[str], *, begin_with_first: bool
) -> None:
    owner = as_isolated_user("owner")
    lists = [await create_list(owner, name) for name in "abc"]

    await _move_first_and_last_with_one_key(
        owner,
        proxy,
        f"/lists/{lists[0]['id']}",
        f"/lists/{lists[2]['id']}",
        begin_with_first=begin_with_first,
    )

    response = await owner.get("/lists")
    assert field_values(response.json(), "name") == order
