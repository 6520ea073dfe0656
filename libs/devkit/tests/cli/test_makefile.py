"""`make` passes on no variables of other programs, and takes options from its command line only."""

import subprocess
from pathlib import Path

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.settings import CHECKOUT

FOREIGN_VARIABLES = {
    "PGPORT": "1",
    "PGHOST": "nowhere.invalid",
    "PGUSER": "nobody",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGSERVICE": "nothing",
    "PYTHONPATH": "/nowhere",
    "PYTHONWARNINGS": "error",
    "VIRTUAL_ENV": "/nowhere",
    "UV_PYTHON": "/nowhere",
}

OPTION_VARIABLES = {"v": "1", "s": "tasks", "VENV": "/home"}
"""Variables of the environment that have the names of options."""

SHOW = """
show:
	@env
	@echo "options: $(v)$(s)$(VENV) end"
"""


@pytest.fixture
def show_makefile(tmp_path: Path) -> Path:
    file = tmp_path / "show.mk"
    file.write_text(SHOW)
    return file


def make_show(show_makefile: Path, *options: str) -> list[str]:
    """Return the lines of what a command of `make` gets: its environment and the options."""
    environment = minimal_environment() | FOREIGN_VARIABLES | OPTION_VARIABLES
    environment["UV_INDEX_URL"] = "https://x"
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", str(show_makefile), "show"]
    command.extend(options)
    process = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    return process.stdout.splitlines()


def test_make_passes_on_no_variables_of_other_programs(show_makefile: Path) -> None:
    names = {line.split("=")[0] for line in make_show(show_makefile)}

    assert names.isdisjoint(FOREIGN_VARIABLES)
    assert names >= {"PATH", "PYTHONUTF8", "UV_INDEX_URL"}


def test_make_takes_options_from_its_command_line_only(show_makefile: Path) -> None:
    assert "options: .venv end" in make_show(show_makefile)
    assert "options: 2.venv end" in make_show(show_makefile, "v=2")
