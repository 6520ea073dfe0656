"""A group of processes: what is said when one dies, and that none is left, however the group ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.platform.errors import CannotRunError
from devkit.platform.processes import Process, ProcessGroup

SLEEPER = "import time; time.sleep(60)"

STUBBORN = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""

LAST_WORDS = """
import signal, sys, time
def leave(*_):
    print(sys.argv[1], file=open(sys.argv[2], "a"))
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(60)
"""

OWNER = """
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


async def said_ready(process: Process) -> None:
    async def is_ready() -> bool:
        return "ready" in process.log.read_text()

    await process.wait_until(is_ready)


async def test_a_process_that_dies_is_named_with_its_last_lines(tmp_path: Path) -> None:
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


async def test_a_process_that_is_killed_is_named_with_the_signal(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("users", python("import os; os.kill(os.getpid(), 9)"), {})

        with pytest.raises(CannotRunError, match="users ended by SIGKILL"):
            await process.wait_until(never)


async def test_a_process_that_never_gets_ready_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start(
            "tasks", python("import time; print('thinking', flush=True); time.sleep(60)"), {}
        )

        with pytest.raises(CannotRunError, match="tasks is not ready after 1 s"):
            await process.wait_until(never, seconds=1)


async def test_a_process_with_an_end_may_end_but_must_succeed(tmp_path: Path) -> None:
    async with ProcessGroup(tmp_path) as group:
        await group.run("good", python(""), {})
        group.check()
        with pytest.raises(CannotRunError, match="bad ended with code 1"):
            await group.run("bad", python("raise SystemExit(1)"), {})


async def test_a_process_sees_the_environment_it_was_given_and_no_other(
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
            await said_ready(group.start(name, [*python(LAST_WORDS), name, str(order)], {}))

    assert order.read_text().split() == ["service", "database"]


async def test_ctrl_c_on_the_terminal_does_not_reach_the_processes_behind_our_back(
    tmp_path: Path,
) -> None:
    async with ProcessGroup(tmp_path) as group:
        process = group.start("sleeper", python(SLEEPER), {})

        assert os.getpgid(process.popen.pid) != os.getpgrp()


@pytest.mark.parametrize("program", [SLEEPER, STUBBORN])
def test_nothing_is_left_of_a_group_whose_owner_was_killed(program: str, tmp_path: Path) -> None:
    held_by_all, held = os.pipe()
    command = [*python(OWNER), str(tmp_path), str(held), SLEEPER, program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[held]) as owner:
        os.close(held)
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        assert not select.select([held_by_all], [], [], 0)[0]
        owner.send_signal(signal.SIGKILL)

    assert select.select([held_by_all], [], [], 15)[0], "some process still holds the pipe"
    os.close(held_by_all)
