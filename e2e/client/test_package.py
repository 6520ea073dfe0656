"""The archive of the TypeScript client, as a front end installs it."""

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from devkit.cli.client import build_client
from devkit.platform.node import NODE, installed_program, node_environment, npm_command
from devkit.platform.settings import CHECKOUT
from e2e.support.contract import Profile, Task
from e2e.support.user_client import UserClientFactory

SOURCES: Final = CHECKOUT / "clients" / "typescript"

PROGRAM: Final = Path(__file__).parent / "program.ts"

MISTAKES: Final = SOURCES / "tests" / "mistakes.ts"

TIMEOUT_SECONDS: Final = 300

MODULE_RESOLUTIONS: Final = {
    "nodenext": ("--module", "nodenext"),
    "bundler": ("--module", "esnext", "--moduleResolution", "bundler"),
}

DEPENDENCY_VERSIONS: Final = json.loads((SOURCES / "package.json").read_text())["devDependencies"]


def run_node(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """Run Node.js in a folder, check that it succeeds, and return what it prints."""
    process = subprocess.run(
        [NODE, *arguments],
        check=False,
        cwd=folder,
        env=node_environment() | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def compile_program(folder: Path, resolution: str, *options: str) -> tuple[int, str]:
    """Compile the TypeScript files of a folder; return the exit status and the messages."""
    files = [path.name for path in folder.glob("*.ts")]
    settings = ("--strict", "--target", "es2022", "--lib", "es2023,dom,dom.iterable")
    process = subprocess.run(
        [
            NODE,
            installed_program("tsc"),
            *settings,
            *MODULE_RESOLUTIONS[resolution],
            *options,
            *files,
        ],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    return process.returncode, process.stdout


@pytest.fixture(scope="module")
async def archive() -> Path:
    """Build the archive, as `make client` does."""
    return await build_client()


@pytest.fixture(scope="module")
def front_end(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the archive into an empty folder, with what its optional parts need."""
    folder = tmp_path_factory.mktemp("front-end")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    others = [f"{name}@{DEPENDENCY_VERSIONS[name]}" for name in ("react", "@types/react")]
    run_node(folder, *npm_command("install", "--prefer-offline", archive, *others)[1:])
    return folder


@pytest.mark.parametrize("resolution", MODULE_RESOLUTIONS)
@pytest.mark.scenario("S001-SC-005", "S002-FR-012")
async def test_a_program_that_uses_the_package_compiles_and_works(
    resolution: str, front_end: Path, base_url: str, as_user: UserClientFactory
) -> None:
    ada = as_user("ada")
    token = ada.headers["authorization"].removeprefix("Bearer ")
    (front_end / "program.ts").write_text(PROGRAM.read_text())

    status, messages = compile_program(front_end, resolution)
    assert status == 0, messages
    output = run_node(front_end, "program.js", BASE_URL=base_url, TOKEN=token)

    report = json.loads(output)
    created = report["created"]
    changed = report["changed"]
    replaced = report["replaced"]
    assert set(created) == Task.__required_keys__
    assert created["title"] == "Water the plants"
    assert created["is_completed"] is False
    assert changed["title"] == "Water the plants"
    assert changed["is_completed"] is True
    assert replaced["title"] == "Water the cactus"
    assert replaced["is_completed"] is False
    assert report["listed"] == [replaced]
    assert report["lists"] == []
    assert set(report["profile"]) == Profile.__required_keys__
    assert report["profile"]["time_zone"] == "Europe/Paris"
    assert report["missing"] == "task-not-found"
    assert report["functions"] == ["function"] * 3
    assert await ada.list_tasks() == []


def test_each_mistake_is_an_error_of_the_compiler(front_end: Path) -> None:
    text = MISTAKES.read_text().replace("../src/index.js", "@task-platform/client")
    mistakes = text.count("// @ts-expect-error")
    (front_end / "mistakes.ts").write_text(text.replace("// @ts-expect-error", "//"))

    status, messages = compile_program(front_end, "nodenext", "--noEmit")

    assert status != 0
    lines = {line.split(",")[0] for line in messages.splitlines() if "mistakes.ts(" in line}
    assert len(lines) == mistakes, messages
    (front_end / "mistakes.ts").unlink()


def test_the_archive_has_a_licence_and_sources_for_debuggers(front_end: Path) -> None:
    package = front_end / "node_modules" / "@task-platform" / "client"

    assert "MIT" in (package / "LICENSE").read_text()
    assert "createClient" in (package / "README.md").read_text()
    source_map = json.loads((package / "dist" / "index.js.map").read_text())
    assert source_map["sourcesContent"]
    assert not list(package.rglob("*.test.*"))
