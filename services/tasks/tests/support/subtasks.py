"""More subtasks than the quota of tasks in these tests allows."""

import psycopg

from devkit.testing.fault_proxy import FaultProxy

from .helpers import JsonObject

INSERT_SUBTASKS = """
WITH counter_bump AS (UPDATE owners SET counter = counter + %(count)s RETURNING id, counter)
INSERT INTO tasks (
    id, user_id, title, is_completed, created_at, updated_at, version, list_id, parent_id
)
SELECT gen_random_uuid(), user_id, n, false, now(), now(), counter - %(count)s + n, list_id,
       tasks.id
FROM tasks JOIN counter_bump ON user_id = counter_bump.id, generate_series(1, %(count)s) AS n
WHERE tasks.id = %(parent)s
"""


async def insert_subtasks(proxy: FaultProxy, parent: JsonObject, count: int) -> None:
    """Insert subtasks, and do not count them."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(INSERT_SUBTASKS, {"count": count, "parent": parent["id"]})
