"""The alert rules agree with the documentation and with the reasons that the gateway knows."""

import re
from typing import Any

import yaml

from auth_gateway.authentication.reasons import Reason
from tests.support.sources import ROOT

MONITORING = ROOT / "deploy" / "monitoring"

GROUPS: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in GROUPS for rule in group["rules"]
}


def test_the_documentation_explains_every_alert() -> None:
    documented = re.findall(
        r"^\| `(TaskPlatform\w+)` \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE
    )

    assert documented == list(RULES)


def test_rejected_tokens_are_counted_by_reasons_that_exist() -> None:
    """A reason that nothing reports would be an alert that never fires."""
    verdicts = re.findall('verdict=~"([^"]+)"', RULES["TaskPlatformTokensRejected"]["expr"])

    assert len(verdicts) == 1
    assert set(verdicts[0].split("|")) <= set(Reason)


def test_every_job_of_the_rules_is_scraped() -> None:
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    scraped: set[str] = {job["job_name"] for job in configuration["scrape_configs"]}

    for rule in RULES.values():
        for pattern in re.findall('job=~?"([^"]+)"', rule["expr"]):
            assert any(re.fullmatch(pattern, job) for job in scraped), pattern
