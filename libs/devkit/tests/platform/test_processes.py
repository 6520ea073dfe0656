"""A process group reports a process that dies, and leaves none however it ends."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from devkit.platform.errors import CannotRunError
from devkit.platform.processes import Process, ProcessGroup

SLEEP = "import time; time.sleep(60)"

IGNORE_SIGNALS = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""

APPEND_NAME_AT_END = """
import signal, sys, time
def leave(*_):
    print(sys.argv[1], file=open(sys.argv[2], "a"))
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(60)
"""

START_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=True)
print("ready", child.pid, flush=True)
time.sleep(60)
"""

PRINT_ID = """
import os, time
print(os.getpid(), flush=True)
time.sleep(60)
"""

START_GROUP = """
import asyncio, sys
from pathlib import Path
from devkit.platform.processes import ProcessGroup

async def main():
    async with ProcessGroup(Path(sys.argv[1]), inherited_fds=[int(sys.argv[2])]) as group:
        for number, program in enumerate(sys.argv[3:]):
            group.start(str(number), [sys.executable, "-c", program], {})
        await asyncio.sleep(1)
        print("started", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


async def never() -> bool:
    return False


async def wait_until_ready(process: Process) -> None:
    async def is_ready() -> bool:
        return "ready" in process.log.read_text()

    await process.wait_until(is_ready)


def wait_until_ended(process_id: int) -> None:
    """Wait for the end of a process; its new parent may leave it as a zombie."""
    deadline = time.monotonic() + 5
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "the process still runs"
            time.sleep(0.05)


async def test_a_process_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start(
            "tasks", python("print('line 1\\nno such setting'); raise SystemExit(3)"), {}
        )

        with pytest.raises(
            CannotRunError, match=r"(?s)tasks ended with code 3.*tasks\.log.*\nno such setting"
        ):
            await process.wait_until(never)
        with pytest.raises(CannotRunError, match="tasks ended"):
            group.check()


async def test_a_line_that_is_still_being_written_is_no_line_of_the_log(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("users", python("print('one\\ntwo\\nhal', end='')"), {})
        process.popen.wait()

        assert process.log.read_text() == "one\ntwo\nhal"
        assert process.log_lines() == ["one", "two"]


async def test_a_process_that_is_killed_is_named_with_the_signal(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("users", python("import os; os.kill(os.getpid(), 9)"), {})

        with pytest.raises(CannotRunError, match="users ended by SIGKILL"):
            await process.wait_until(never)


async def test_waiting_for_a_process_that_never_gets_ready_ends(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("tasks", python("import time; time.sleep(60)"), {})

        with pytest.raises(CannotRunError, match="tasks is not ready after 1 s"):
            await process.wait_until(never, seconds=1)


async def test_a_command_may_end_but_must_succeed(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        await group.run("good", python(""), {})
        group.check()
        with pytest.raises(CannotRunError, match="bad ended with code 1"):
            await group.run("bad", python("raise SystemExit(1)"), {})


async def test_a_process_has_only_the_environment_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_DEVELOPER", "x")
    async with ProcessGroup(tmp_path) as group:
        await group.run(
            "env", python("import os; print(dict(os.environ))"), {"GIVEN": "1", "LC_ALL": "C"}
        )

    assert "'GIVEN': '1'" in (tmp_path / "env.log").read_text()
    assert "DEVELOPER" not in (tmp_path / "env.log").read_text()


async def test_leaving_a_group_stops_the_last_started_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    async with ProcessGroup(tmp_path) as group:
        for name in ("database", "service"):
            await wait_until_ready(
                group.start(name, [*python(APPEND_NAME_AT_END), name, str(order)], {})
            )

    assert order.read_text().split() == ["service", "database"]


async def test_ctrl_c_on_the_terminal_does_not_reach_the_processes_directly(
    tmp_path: Path,
) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("sleep", python(SLEEP), {})

        assert os.getpgid(process.popen.pid) != os.getpgrp()


async def test_a_process_that_holds_no_pipe_is_not_left_behind(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("npm", python(START_CHILD), {})
        await wait_until_ready(process)
        child_id = int(process.log.read_text().split()[1])

    wait_until_ended(child_id)


async def test_a_command_that_is_no_longer_waited_for_is_stopped(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await group.run("npm", python(PRINT_ID), {})
        process_id = int((tmp_path / "npm.log").read_text())

        assert not psutil.pid_exists(process_id)


@pytest.mark.parametrize("program", [SLEEP, IGNORE_SIGNALS])
def test_no_process_is_left_of_a_group_whose_owner_was_killed(program: str, tmp_path: Path) -> None:
    ended_fd, alive_fd = os.pipe()
    command = [*python(START_GROUP), str(tmp_path), str(alive_fd), SLEEP, program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[alive_fd]) as owner:
        os.close(alive_fd)
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        assert not select.select([ended_fd], [], [], 0)[0]
        owner.send_signal(signal.SIGKILL)

    assert select.select([ended_fd], [], [], 15)[0], "a process still holds the pipe open"
    os.close(ended_fd)
