"""Pods are replaced, and a release that does not start is rolled back, while requests run."""

import pytest

from e2e.support.kubernetes_release import KubernetesRelease, is_ready
from e2e.support.load_generator import LoadReport


@pytest.mark.parametrize("part", ["tasks", "users", "auth-gateway", "edge"])
async def test_a_rollout_fails_no_request(
    kubernetes_release: KubernetesRelease, load: LoadReport, part: str
) -> None:
    before = {pod["metadata"]["name"] for pod in await kubernetes_release.pods(part)}

    await kubernetes_release.restart(part)
    await kubernetes_release.wait_until_settled(part)

    after = {pod["metadata"]["name"] for pod in await kubernetes_release.pods(part)}
    assert not before & after
    if part != "edge":
        assert load.failures == {}


async def test_a_release_that_does_not_start_leaves_the_old_one_serving(
    kubernetes_release: KubernetesRelease, load: LoadReport
) -> None:
    too_little = "tasks.resources.limits.memory=16Mi,tasks.resources.requests.memory=16Mi"

    with pytest.raises(RuntimeError, match="deadline exceeded"):
        await kubernetes_release.upgrade(f"--set={too_little}", timeout_seconds=25)
    ready_pods = [pod for pod in await kubernetes_release.pods("tasks") if is_ready(pod)]
    await kubernetes_release.helm("rollback", "--wait", kubernetes_release.name)
    await kubernetes_release.wait_until_settled("tasks")

    assert len(ready_pods) == 2
    assert load.failures == {}
