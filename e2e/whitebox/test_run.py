"""`make run` shows sign-in and the app at one URL, and runs without them if npm does not work."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.services import free_ports
from devkit.testing.run_command import (
    UNSET,
    Run,
    output_until,
    output_until_end,
    output_until_started,
    running,
    wait_until_all_processes_ended,
)
from e2e.support.checkout import copy_checkout, processes_of

INSTALLS_SERVER = "Installing the Better Auth server"
INSTALLS_APP = "Installing what the app is built with"
BUILDS_APP = "Building the app"

PASSWORD = "correct horse battery staple"  # noqa: S105 - of users that these tests make up

NO_REGISTRY = {"npm_config_registry": "http://127.0.0.1:1"}

IS_APP_BUILT = "from devkit.platform.web_app import is_app_built; print(is_app_built())"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout without installed packages and without the built app."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def port() -> str:
    (port,) = free_ports(1)
    return str(port)


def is_app_built(checkout: Path) -> bool:
    path = checkout / "libs" / "devkit" / "src"
    process = subprocess.run(
        [sys.executable, "-c", IS_APP_BUILT],
        env={"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout == "True\n"


def stop(run: Run) -> None:
    run.send_signal(signal.SIGINT)
    output_until_end(run)
    assert run.returncode == 0


def get(port: str, path: str) -> httpx.Response:
    return httpx.get(f"http://localhost:{port}{path}", trust_env=False)


def shows_app(port: str) -> bool:
    """Tell whether `/` is the app, with a script that is there as well."""
    page = get(port, "/")
    script = re.search(r'src="(/assets/[^"]+\.js)"', page.text)
    return script is not None and get(port, script[1]).is_success


def authenticate(origin: str, action: str, email: str) -> httpx.Response:
    """Sign in or up at an origin, as a page of it does; `action` is `sign-in` or `sign-up`."""
    with httpx.Client(base_url=origin, headers={"Origin": origin}, trust_env=False) as browser:
        credentials = {"email": email, "password": PASSWORD, "name": "Ada"}
        response = browser.post(f"/api/auth/{action}/email", json=credentials)
        if not response.is_success:
            return response
        token = browser.get("/api/auth/token").json()["token"]
        task = {"title": "Water the plants"}
        return browser.post("/tasks", json=task, headers={"Authorization": f"Bearer {token}"})


def explain(folder: Path, token: str) -> str:
    """Explain a token in another terminal, which has no settings."""
    command = [sys.executable, "-m", "devkit.cli.explain", f"--folder={folder}", token]
    environment = minimal_environment() | UNSET
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return process.stdout


def test_the_first_start_installs_and_builds_and_the_second_has_it_all(
    checkout: Path, tmp_path: Path, port: str
) -> None:
    folder = tmp_path / "var"
    email = f"{token_hex(8)}@example.test"
    with running(folder, {"PORT": port}, checkout=checkout) as run:
        output = output_until_started(run)
        assert shows_app(port)
        for host in ("localhost", "127.0.0.1"):
            created = authenticate(f"http://{host}:{port}", "sign-up", f"{host}-{email}")
            assert created.status_code == 201
        stop(run)

    assert INSTALLS_SERVER in output
    assert INSTALLS_APP in output
    assert BUILDS_APP in output
    assert f"Open http://localhost:{port} in a browser" in output
    wait_until_all_processes_ended(folder)
    assert processes_of(checkout) == []

    with running(folder, {"PORT": port} | NO_REGISTRY, checkout=checkout) as run:
        output = output_until_started(run)
        assert shows_app(port)
        signed_in = authenticate(f"http://localhost:{port}", "sign-in", f"localhost-{email}")
        assert signed_in.status_code == 201
        stop(run)

    assert "Installing" not in output
    assert "Building" not in output
    assert is_app_built(checkout)
    with (checkout / "clients" / "typescript" / "src" / "index.ts").open("a") as source:
        source.write("// changed by git pull\n")
    assert not is_app_built(checkout)


def test_without_npm_the_platform_runs_and_says_what_is_missing(
    checkout: Path, tmp_path: Path, port: str
) -> None:
    without_npm = NO_REGISTRY | {"npm_config_cache": str(tmp_path / "cache")}
    with running(tmp_path / "var", {"PORT": port} | without_npm, checkout=checkout) as run:
        output = output_until_started(run)
        page = get(port, "/")
        sign_in = get(port, "/api/auth/ok")
        stop(run)

    message = "No sign-in and no app: npm cannot reach its registry (ECONNREFUSED); see "
    (line,) = [line for line in output.splitlines() if "no app" in line]
    assert line.startswith(message)
    log = Path(line.removeprefix(message).removesuffix("."))
    assert "ECONNREFUSED" in log.read_text()
    assert page.is_success
    assert "/docs" in page.text
    assert sign_in.status_code == 404


def test_a_build_that_fails_leaves_sign_in(checkout: Path, tmp_path: Path, port: str) -> None:
    (checkout / "apps" / "web" / "src" / "main.tsx").write_text("this is no TypeScript")
    with running(tmp_path / "var", {"PORT": port}, checkout=checkout) as run:
        output = output_until_started(run)
        page = get(port, "/")
        signed_up = authenticate(f"http://localhost:{port}", "sign-up", "ada@example.test")
        stop(run)

    assert re.search(r"^No app: its build failed; see .+app-build\.log\.$", output, re.MULTILINE)
    assert page.is_success
    assert signed_up.status_code == 201
    assert not is_app_built(checkout)


@pytest.mark.parametrize("step", [INSTALLS_SERVER, BUILDS_APP])
def test_a_run_that_is_killed_early_leaves_no_process_and_nothing_half_done(
    checkout: Path, tmp_path: Path, step: str, port: str
) -> None:
    folder = tmp_path / "var"
    with running(folder, {"PORT": port}, checkout=checkout) as run:
        output_until(run, step)
        run.kill()
    wait_until_all_processes_ended(folder)

    assert processes_of(checkout) == []
    assert not is_app_built(checkout)

    with running(folder, {"PORT": port}, checkout=checkout) as run:
        output_until_started(run)
        assert shows_app(port)
        stop(run)


def test_a_run_whose_make_is_killed_early_ends_too(
    checkout: Path, tmp_path: Path, port: str
) -> None:
    folder = tmp_path / "var"
    make = f'"{sys.executable}" -m devkit.cli.run --folder "{folder}"; exit'
    environment = {
        "PYTHONPATH": str(checkout / "libs" / "devkit" / "src"),
        "PORT": port,
        "HOME": str(tmp_path),
    }
    with subprocess.Popen(
        ["/bin/sh", "-c", make], env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        output_until(parent, INSTALLS_SERVER)
        parent.kill()
    wait_until_all_processes_ended(folder)

    assert processes_of(checkout) == []


def test_without_the_app_there_is_sign_in_with_a_generous_limit(tmp_path: Path, port: str) -> None:
    with running(tmp_path / "var", {"PORT": port, "APP": "off"}) as run:
        output = output_until_started(run)
        is_app_shown = shows_app(port)
        page = get(port, "/")
        url = f"http://localhost:{port}/api/auth/sign-in/email"
        credentials = {"email": "nobody@example.test", "password": PASSWORD}
        statuses: list[int] = []
        with httpx.Client(trust_env=False) as client:
            for _ in range(101):
                statuses.append(client.post(url, json=credentials).status_code)
        stop(run)

    assert not is_app_shown
    assert page.is_success
    assert "No app" not in output
    assert statuses == [401] * 100 + [429]


def test_tokens_are_explained_with_the_settings_of_what_runs(tmp_path: Path, port: str) -> None:
    folder = tmp_path / "var"
    origin = f"http://localhost:{port}"
    with running(folder, {"PORT": port, "APP": "off"}) as run:
        output_until_started(run)
        with httpx.Client(base_url=origin, headers={"Origin": origin}, trust_env=False) as browser:
            credentials = {"email": "ada@example.test", "password": PASSWORD, "name": "Ada"}
            browser.post("/api/auth/sign-up/email", json=credentials).raise_for_status()
            token: str = browser.get("/api/auth/token").json()["token"]
        running_verdict = explain(folder, token)
        stop(run)
    stopped_verdict = explain(folder, token)

    assert "Verdict: accepted" in running_verdict
    assert "Verdict: accepted" not in stopped_verdict


def test_another_better_auth_server_may_be_started_later(tmp_path: Path, port: str) -> None:
    other = {"PORT": port, "BETTER_AUTH_URL": "http://localhost:1"}
    folder = tmp_path / "var"
    with running(folder, other) as run:
        output = output_until_started(run)
        sign_in = get(port, "/api/auth/ok")
        stop(run)

    assert "No app and no sign-in: BETTER_AUTH_URL" in output
    assert "The server of BETTER_AUTH_URL does not answer yet" in output
    assert sign_in.status_code == 404
    assert not (folder / "log" / "better-auth.log").exists()
