"""Leaves the suites of the chart out where there is no Helm, and says so."""

import pytest

from tests.support.chart import HELM

NEEDS_HELM = ["test_chart.py", "test_chart_tools.py"]

collect_ignore = [] if HELM else NEEDS_HELM


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the suites that did not run, and the reason."""
    if collect_ignore:
        terminalreporter.section("Left out")
        files = ", ".join(collect_ignore)
        terminalreporter.line(f"Not run, because there is no Helm (HELM=PATH): {files}")
