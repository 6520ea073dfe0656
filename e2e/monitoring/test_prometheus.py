"""A real Prometheus scrapes the platform by our configuration, and the dashboard shows it."""

import pytest

from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service
from e2e.support.prometheus import (
    DASHBOARD,
    ask,
    dashboard_expressions,
    query,
    start_prometheus,
)
from e2e.support.scrapes import alert_rules

from .conftest import MonitoredPlatform

SCRAPES = "min(count_over_time(up[1m]))"
"""How often each target was scraped; a rate needs two values."""


@pytest.fixture(scope="module")
async def prometheus(
    group: ProcessGroup, monitored: MonitoredPlatform, tmp_path_factory: pytest.TempPathFactory
) -> Service:
    """Run a Prometheus that has scraped the platform while it was used."""
    user = monitored.platform.client_for("ann-on-the-dashboard")
    folder = tmp_path_factory.mktemp("prometheus")
    server = start_prometheus(group, folder, monitored.targets())
    await server.wait_until_ready()

    async def has_scraped() -> bool:
        task = await user.create_task()
        await user.get(f"/tasks/{task['id']}")
        await user.get("/users/me")
        await user.get("/tasks/0")
        series = await query(server, SCRAPES)
        return bool(series) and float(series[0]["value"][1]) > 3

    await server.process.wait_until(has_scraped)
    return server


async def test_every_target_is_up_as_the_job_that_rules_expect(
    prometheus: Service, monitored: MonitoredPlatform
) -> None:
    targets = (await ask(prometheus, "targets"))["activeTargets"]

    up = {(target["labels"]["job"], target["scrapeUrl"]) for target in targets}
    assert up == {(target.job, target.url) for target in monitored.targets()}
    assert {target["health"] for target in targets} == {"up"}


async def test_every_rule_is_evaluated_and_none_waits_to_fire(prometheus: Service) -> None:
    groups = (await ask(prometheus, "rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert [rule["name"] for rule in rules] == list(alert_rules())
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule["state"] != "inactive"} == set()


@pytest.mark.parametrize(("panel", "expression"), list(dashboard_expressions()))
async def test_each_expression_of_the_dashboard_has_series(
    prometheus: Service, panel: str, expression: str
) -> None:
    assert await query(prometheus, expression) != [], panel


def test_panels_have_places_and_names_of_their_own() -> None:
    """Grafana shows the second of two panels with one id in both places."""
    panels = DASHBOARD["panels"]
    cells: list[tuple[int, int]] = []
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                cells.append((x, y))

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
