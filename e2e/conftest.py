import shutil

import pytest

needs_node = ["test_better_auth.py"]
has_node = bool(shutil.which("node") and shutil.which("npm"))
collect_ignore = [] if has_node else needs_node


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which suites could not run here, where nobody can overlook it."""
    if not has_node:
        terminalreporter.section("Without Node.js")
        terminalreporter.line(f"Not run, because there is no Node.js here: {', '.join(needs_node)}")
