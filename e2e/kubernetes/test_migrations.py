"""Migrations run before anything else changes, and one at a time."""

import asyncio
import json
from secrets import token_hex
from typing import Final

import pytest

from e2e.support.kubernetes_release import POLL_SECONDS, KubernetesRelease, secret_manifest
from e2e.support.load_generator import LoadReport

LOCK: Final = "SELECT pg_advisory_lock(hashtext('tasks migrations')), pg_sleep(120)"

WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tasks' AND datname = current_database()"
)

UNLOCK: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
)

WAIT_SECONDS: Final = 90

PARTS: Final = ("tasks", "users", "auth-gateway", "edge")


async def test_a_migration_that_fails_leaves_the_old_release_serving(
    kubernetes_release: KubernetesRelease, load: LoadReport
) -> None:
    url = kubernetes_release.secrets["TASKS_DATABASE_URL"]
    before = await kubernetes_release.pod_names(*PARTS)
    await kubernetes_release.update_secret(TASKS_DATABASE_URL_UNPOOLED=f"{url}-forgotten")

    with pytest.raises(RuntimeError, match="BackoffLimitExceeded"):
        await kubernetes_release.upgrade("--set=migrations.retries=0,tasks.tombstonesKeptDays=30")
    job = f"job/{kubernetes_release.part('tasks-migrations')}"
    reason = await kubernetes_release.kubectl("logs", job)
    after = await kubernetes_release.pod_names(*PARTS)
    await kubernetes_release.remove_from_secret("TASKS_DATABASE_URL_UNPOOLED")
    await kubernetes_release.upgrade()

    assert "The database of tasks: " in reason
    assert '"tasks-forgotten" does not exist' in reason
    assert after == before
    assert load.failures == {}


async def test_of_two_jobs_at_once_one_migrates(kubernetes_release: KubernetesRelease) -> None:
    name = f"twice-{token_hex(4)}"
    database = name.replace("-", "_")
    await kubernetes_release.psql("postgres", f"CREATE DATABASE {database} OWNER tasks")
    url = kubernetes_release.secrets["TASKS_DATABASE_URL"].removesuffix("tasks") + database
    secret = secret_manifest(name, {"TASKS_DATABASE_URL": url})
    await kubernetes_release.kubectl("apply", "-f", "-", stdin=secret)

    lock = asyncio.create_task(kubernetes_release.psql(database, LOCK))
    job = await two_at_once(kubernetes_release, name)
    await kubernetes_release.kubectl("apply", "-f", "-", stdin=job)
    await wait_until_two_wait(kubernetes_release, database)
    await kubernetes_release.psql(database, UNLOCK)
    with pytest.raises(RuntimeError, match="terminating connection"):
        await lock
    await kubernetes_release.kubectl(
        "wait", "--for=condition=Complete", f"--timeout={WAIT_SECONDS}s", f"job/{name}"
    )

    revision = "SELECT version_num FROM alembic_version"
    assert await kubernetes_release.psql(database, revision) == await kubernetes_release.psql(
        "tasks", revision
    )


async def wait_until_two_wait(release: KubernetesRelease, database: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if await release.psql(database, WAITING) == "2\n":
                return
            await asyncio.sleep(POLL_SECONDS)


async def two_at_once(release: KubernetesRelease, name: str) -> str:
    """Return the Job of the release as one that runs twice at once, on another database.

    Args:
        release: Its Job is taken.
        name: The name of the new Job, and of the Secret with its database.
    """
    part = "tasks-migrations"
    output = await release.kubectl("get", "job", release.part(part), "--output=json")
    template = json.loads(output)["spec"]["template"]
    labels = template["metadata"]["labels"]
    template["metadata"]["labels"] = {
        label: value for label, value in labels.items() if label.startswith("app.")
    }
    for variable in template["spec"]["containers"][0]["env"]:
        variable["valueFrom"]["secretKeyRef"]["name"] = name
    specification = {"completions": 2, "parallelism": 2, "backoffLimit": 0, "template": template}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": specification,
    }
    return json.dumps(job)
