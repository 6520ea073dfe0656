"""Query plans: indexes are used, and the cost does not depend on the tasks of other users.

Each plan is made in both ways in which the server plans a prepared statement: for its values
(custom), and once for all values (generic).
"""

from collections.abc import AsyncGenerator
from typing import NamedTuple

import pytest

from devkit.platform.databases import MigratedDatabases

from ..support.large_dataset import (
    OTHER_TASK_COUNT,
    Connection,
    explain,
    large_dataset,
    outdated_statistics,
)
from .query_runs import ALL, DEFAULT_PARAMS, MERGE, PAGES, WRITES_OF_ALL, rows_max


class Databases(NamedTuple):
    """Two databases with the same owner: other users have a few tasks, or a million."""

    small: Connection
    large: Connection


@pytest.fixture(scope="module")
async def filled(databases: MigratedDatabases) -> AsyncGenerator[Databases]:
    """Fill both databases."""
    small_url = await databases.create("tasks")
    large_url = await databases.create("tasks")
    async with (
        large_dataset(small_url, 10) as small,
        large_dataset(large_url, OTHER_TASK_COUNT) as large,
    ):
        yield Databases(small, large)


@pytest.fixture(scope="module")
async def outdated(databases: MigratedDatabases) -> AsyncGenerator[Connection]:
    """Fill a database whose statistics say that users have one task each."""
    async with outdated_statistics(await databases.create("tasks")) as connection:
        yield connection


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_costs_the_same_among_a_million_tasks_of_other_users(
    filled: Databases, name: str, mode: str
) -> None:
    run = PAGES[name]
    params = DEFAULT_PARAMS | run.params

    small = await explain(filled.small, run.statement, params, mode)
    large = await explain(filled.large, run.statement, params, mode)

    assert large.rows <= small.rows, large.plan
    # Indexes have three levels where they had two, and rows lie farther apart.
    assert large.blocks < 2 * small.blocks + 5, large.plan


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", ALL)
async def test_no_statement_reads_rows_of_other_users(
    filled: Databases, name: str, mode: str
) -> None:
    run = ALL[name]

    statistics = await explain(filled.large, run.statement, DEFAULT_PARAMS | run.params, mode)

    assert statistics.tables == set(), statistics.plan
    assert statistics.rows < rows_max(name), statistics.plan
    if mode == "custom":
        assert run.indexes <= statistics.indexes, statistics.plan


@pytest.mark.parametrize("mode", ["custom", "generic"])
async def test_a_merge_reads_no_more_where_users_seem_to_have_one_task_each(
    databases: MigratedDatabases, mode: str
) -> None:
    async with outdated_statistics(await databases.create("tasks")) as connection:
        for name, run in MERGE.items():
            statistics = await explain(connection, run.statement, DEFAULT_PARAMS, mode)

            assert statistics.rows < rows_max(name), statistics.plan


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", WRITES_OF_ALL)
async def test_a_change_of_all_reads_no_more_where_users_seem_to_have_one_task_each(
    outdated: Connection, name: str, mode: str
) -> None:
    run = WRITES_OF_ALL[name]

    statistics = await explain(outdated, run.statement, DEFAULT_PARAMS | run.params, mode)

    assert statistics.rows < rows_max(name), statistics.plan


async def test_every_index_is_needed_by_a_statement(filled: Databases) -> None:
    cursor = await filled.small.execute(
        """
        SELECT indexname FROM pg_indexes WHERE schemaname = 'public'
        EXCEPT SELECT conname FROM pg_constraint
        """
    )
    rows = await cursor.fetchall()
    indexes = {name for (name,) in rows}
    indexes.discard("alembic_version_pkc")

    needed_indexes: set[str] = set()
    for run in ALL.values():
        needed_indexes |= run.indexes
    assert indexes <= needed_indexes
