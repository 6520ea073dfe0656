"""The unit tests of the reference app; what it does in a browser is tested in `e2e/browser`."""

from devkit.platform.settings import CHECKOUT
from e2e.support.vitest import run_vitest


def test_the_app_passes_its_unit_tests(client_environment: dict[str, str]) -> None:
    run_vitest(CHECKOUT / "apps" / "web", client_environment)
