"""Groups of processes that end together, even if the process that started them is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from pwd import struct_passwd
from typing import Final, Self

from devkit.platform.errors import CannotRunError

LOG_LINES_MAX: Final = 15
"""How many lines of its log are shown when a process dies."""

POLL_SECONDS: Final = 0.05
"""Pause between two looks at a process that is about to start or to end."""

START_SECONDS: Final = 60.0
"""How long a process may take until it is ready, on a machine that is busy with other things."""

STOP_SECONDS: Final = 20.0
"""How long a process may take to stop: longer than the services' limit for requests in flight."""


@dataclass(frozen=True)
class Process:
    """A process of a group."""

    name: str
    log: Path
    """File with its output."""

    popen: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals = signal.SIGTERM

    def check(self) -> None:
        """Check that the process runs.

        Raises:
            CannotRunError: It has ended.
        """
        code = self.popen.poll()
        if code is None:
            return
        if code < 0:
            raise self.failure(f"ended by {signal.Signals(-code).name}")
        raise self.failure(f"ended with code {code}")

    def log_lines(self) -> list[str]:
        """Return the lines of the log; the last one is left out while it is being written."""
        complete, _, _ = self.log.read_text(errors="replace").rpartition("\n")
        return complete.splitlines()

    def failure(self, event: str) -> CannotRunError:
        """Return an error that says what happened, with the last lines of the log."""
        last_lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_MAX:]
        message = [f"{self.name} {event}; last lines of {self.log}:"]
        message.extend(last_lines)
        return CannotRunError("\n".join(message))

    async def wait_until(
        self, is_ready: Callable[[], Awaitable[bool]], *, seconds: float = START_SECONDS
    ) -> None:
        """Poll until `is_ready` returns true.

        Raises:
            CannotRunError: The process ended before that, or took longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not await is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise self.failure(f"is not ready after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Send the stop signal, and SIGKILL after `STOP_SECONDS`. Idempotent."""
        if self.popen.poll() is None:
            self.popen.send_signal(self.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while self.popen.poll() is None:
            if time.monotonic() > deadline:
                self.popen.kill()
            await asyncio.sleep(POLL_SECONDS)


@dataclass
class ProcessGroup:
    """A context manager that starts processes and stops them in reverse order at its end.

    The processes form a process group of their own, so that Ctrl-C reaches only this process, which
    then stops them in order. The group's leader is a watchdog that ends them if this process is
    killed.
    """

    logs: Path
    """Folder with a log for each process; created if missing."""

    inherited_fds: Sequence[int] = ()
    """File descriptors that every process inherits: a lock among them is held by all of them."""

    _processes: list[Process] = field(default_factory=list[Process])
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _leader_id: int = 0
    _alive_fd: int = 0
    """End of a pipe that every process holds open: so the watchdog knows when all have ended."""

    async def __aenter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        watched_fd, self._alive_fd = os.pipe()
        watchdog_script = str(Path(__file__).with_name("watchdog.py"))
        watchdog = subprocess.Popen(
            [sys.executable, "-IS", watchdog_script, str(watched_fd)],
            stdin=subprocess.PIPE,
            pass_fds=[watched_fd, *self.inherited_fds],
            process_group=0,
        )
        self._leader_id = watchdog.pid
        os.close(watched_fd)
        self._stack.callback(watchdog.communicate)
        self._stack.callback(os.close, self._alive_fd)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def log_file(self, name: str) -> Path:
        """Return the log file of the process with this name."""
        return self.logs / f"{name}.log"

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        run_as: struct_passwd | None = None,
        working_directory: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Process:
        """Start a process that runs until the group ends.

        Args:
            name: Name in messages, and of the log file.
            command: Program and arguments.
            environment: The whole environment: nothing is inherited.
            run_as: System user to run it as; None for the current one.
            working_directory: None for the current one.
            stop_signal: Signal that asks it to end.
        """
        log = self.log_file(name)
        if run_as:
            command = _as_user(run_as, command)
        popen = self._spawn(command, environment, log, working_directory)
        process = Process(name, log, popen, stop_signal)
        self._processes.append(process)
        self._stack.push_async_callback(process.stop)
        return process

    async def run(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        run_as: struct_passwd | None = None,
        working_directory: Path | None = None,
    ) -> None:
        """Run a command to its end, or until this is cancelled; the arguments are those of `start`.

        Raises:
            CannotRunError: It ended with an error.
        """
        process = self.start(
            name, command, environment, run_as=run_as, working_directory=working_directory
        )
        self._processes.remove(process)
        try:
            while process.popen.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
        except asyncio.CancelledError:
            await process.stop()
            raise
        if process.popen.returncode:
            process.check()

    def add_cleanup(self, clean_up: Callable[[], object]) -> None:
        """Call a function when all processes that are started after this call have stopped."""
        self._stack.callback(clean_up)

    def check(self) -> None:
        """Check that all processes of `start` run.

        Raises:
            CannotRunError: One of them has ended.
        """
        for process in self._processes:
            process.check()

    def _spawn(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        log: Path,
        working_directory: Path | None,
    ) -> "subprocess.Popen[bytes]":
        with log.open("wb") as output:
            return subprocess.Popen(
                list(command),
                env=environment,
                cwd=working_directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._alive_fd, *self.inherited_fds],
                process_group=self._leader_id,
            )


def _as_user(user: struct_passwd, command: Sequence[str | Path]) -> Sequence[str | Path]:
    script = Path(__file__).with_name("unprivileged.py")
    return [sys.executable, "-IS", script, user.pw_name, *command]
