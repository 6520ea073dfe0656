"""The unit tests of the reference app; what it does in a browser is tested in `e2e/browser`."""

import json
from pathlib import Path

from devkit.platform.settings import CHECKOUT
from e2e.support.repeat_rules import sample_occurrences
from e2e.support.vitest import run_vitest


def test_the_app_passes_its_unit_tests(client_environment: dict[str, str], tmp_path: Path) -> None:
    occurrences = tmp_path / "occurrences.json"
    occurrences.write_text(json.dumps(sample_occurrences()))

    environment = {**client_environment, "OCCURRENCES": str(occurrences)}
    run_vitest(CHECKOUT / "apps" / "web", environment)
