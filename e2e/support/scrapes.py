"""Metrics as Prometheus scrapes them, and the alerts that they would raise if they went on."""

import math
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict

import yaml
from httpx import AsyncClient, HTTPError
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from devkit.platform.settings import CHECKOUT

MONITORING: Final = CHECKOUT / "deploy" / "monitoring"
"""Folder of the alert rules, the dashboard and the example of a configuration."""

RULES: Final = MONITORING / "alerts.yml"

MINUTES: Final = 90
"""How long what was scraped goes on: longer than any rule waits."""

_CUMULATIVE_TYPES: Final = ("counter", "histogram", "summary")

_IGNORED: Final = re.compile(r"(go|python)_|.*_created$")
"""Metrics of the runtimes, which no rule reads."""

_TIMESTAMPS: Final = ("traefik_tls_certs_not_after",)
"""Seconds since 1970. promtool's clock begins there, so they are counted from the scrape."""

_FAILURE: Final = re.compile(r"alertname: (\w+), time: .*?got:\[(.*?)\n\s+\]", re.DOTALL)
"""One alert in the output of promtool, if it fires although none was expected."""


class AlertRule(TypedDict):
    """The part of a rule that tests look at."""

    alert: str
    expr: str
    annotations: dict[str, str]


@dataclass(frozen=True)
class Target:
    """A process that Prometheus scrapes."""

    job: str
    url: str


@dataclass
class Scrape:
    """The values of all series of some targets, by name and labels as PromQL spells them."""

    values: dict[str, float] = field(default_factory=dict[str, float])
    cumulative: set[str] = field(default_factory=set[str])
    """The series that only grow."""

    def add(self, sample: Sample, target: Target, *, is_cumulative: bool = False) -> None:
        """Add a sample of a target, with the labels that Prometheus adds."""
        labels = sample.labels | {"job": target.job, "instance": target.url.split("/")[2]}
        series = _spell(sample.name, labels)
        value = sample.value
        if sample.name in _TIMESTAMPS:
            value -= time.time()
        self.values[series] = value
        if is_cumulative:
            self.cumulative.add(series)

    def of(self, name: str) -> list[float]:
        """Return the values of all series with this name."""
        prefix = f"{name}{{"
        return [value for series, value in self.values.items() if series.startswith(prefix)]


def alert_rules() -> dict[str, AlertRule]:
    """Return all alert rules by name."""
    rules: dict[str, AlertRule] = {}
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            rules[rule["alert"]] = rule
    return rules


async def scrape(targets: Iterable[Target]) -> Scrape:
    """Scrape targets as Prometheus does; those that do not respond are down."""
    result = Scrape()
    async with AsyncClient(trust_env=False) as client:
        for target in targets:
            try:
                text = (await client.get(target.url)).raise_for_status().text
            except HTTPError:
                result.add(Sample("up", {}, 0), target)
                continue
            result.add(Sample("up", {}, 1), target)
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if not _IGNORED.match(sample.name):
                        is_cumulative = family.type in _CUMULATIVE_TYPES
                        result.add(sample, target, is_cumulative=is_cumulative)
    return result


def repeat(before: Scrape, after: Scrape) -> dict[str, str]:
    """Return series that grow each minute as they did between two scrapes.

    What does not grow keeps the value of the second scrape. What that one lacks has ended.

    Returns:
        The values in the notation of promtool, by series.
    """
    series_values: dict[str, str] = {}
    for series, value in after.values.items():
        if series in after.cumulative:
            start = before.values.get(series, 0)
            growth = value - start
            assert growth >= 0, f"{series} was reset between the scrapes"
            series_values[series] = f"{start}+{growth}x{MINUTES}"
        else:
            series_values[series] = " ".join([_spell_number(value)] * (MINUTES + 1))
    for series in before.values.keys() - after.values.keys():
        series_values[series] = f"{_spell_number(before.values[series])} stale"
    return series_values


def firing_alerts(series_values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return what promtool says about each alert that fires in the end, by its name.

    promtool compares with what is expected. Nothing is, so it reports all that fire, with labels
    and annotations.
    """
    series = [{"series": name, "values": values} for name, values in series_values.items()]
    expectations: list[dict[str, object]] = [
        {"eval_time": f"{MINUTES}m", "alertname": name, "exp_alerts": []} for name in alert_rules()
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expectations}
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}))
    result = subprocess.run(
        ["promtool", "test", "rules", str(file)],  # noqa: S607 - the one that is installed
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    alerts = dict(_FAILURE.findall(output))
    assert (result.returncode == 0) == (not alerts), output
    assert "error expanding" not in output
    return alerts


def _spell(name: str, labels: Mapping[str, str]) -> str:
    pairs: list[str] = []
    for label, value in sorted(labels.items()):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        pairs.append(f'{label}="{escaped}"')
    return f"{name}{{{','.join(pairs)}}}"


def _spell_number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf"
    return str(value)
