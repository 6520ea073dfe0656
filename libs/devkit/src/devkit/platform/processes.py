"""Processes that live and die together, also when the one that started them is killed."""

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

LAST_LINES: Final = 15
"""How much of its log is shown when a process dies."""

POLL_SECONDS: Final = 0.05
"""How often a process is looked at while something is expected of it."""

START_SECONDS: Final = 60.0
"""How long a process may take until it is ready, on a machine that is busy with other things."""

STOP_SECONDS: Final = 20.0
"""How long a process may take to stop, longer than the services' own limit for requests in flight."""


@dataclass(frozen=True)
class Process:
    """A process of a group, and the file its output goes to."""

    name: str
    log: Path
    popen: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals = signal.SIGTERM

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            CannotRunError: It has ended.
        """
        code = self.popen.poll()
        if code is not None:
            raise self.failure(
                f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            )

    def failure(self, what: str) -> CannotRunError:
        """Say what happened to it, in its own last words."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return CannotRunError("\n".join([f"{self.name} {what}; last lines of {self.log}:", *lines]))

    async def wait_until(
        self, is_ready: Callable[[], Awaitable[bool]], *, seconds: float = START_SECONDS
    ) -> None:
        """Wait until it can be used.

        Raises:
            CannotRunError: It ended before that, or took too long.
        """
        deadline = time.monotonic() + seconds
        while not await is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise self.failure(f"is not ready after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Ask it to end, and end it if that does not help; nothing happens when it has ended already."""
        if self.popen.poll() is None:
            self.popen.send_signal(self.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while self.popen.poll() is None:
            if time.monotonic() > deadline:
                self.popen.kill()
            await asyncio.sleep(POLL_SECONDS)


@dataclass
class ProcessGroup:
    """Starts processes, and stops them in reverse order when it is left.

    They are a process group of their own, so that Ctrl-C reaches us alone and we stop them in order. Its leader is a
    watchdog that ends them if we are killed.
    """

    logs: Path
    """Folder for a log of each process, made when missing."""

    inherited_fds: Sequence[int] = ()
    """File descriptors that every process inherits: a lock among them is held until the last one is gone."""

    _processes: list[Process] = field(default_factory=list[Process])
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _leader: int = 0
    _alive: int = 0

    async def __aenter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        seen_by_watchdog, self._alive = os.pipe()
        watchdog = subprocess.Popen(
            [
                sys.executable,
                "-IS",
                str(Path(__file__).with_name("watchdog.py")),
                str(seen_by_watchdog),
            ],
            stdin=subprocess.PIPE,
            pass_fds=[seen_by_watchdog],
            process_group=0,
        )
        self._leader = watchdog.pid
        os.close(seen_by_watchdog)
        self._stack.callback(watchdog.communicate)
        self._stack.callback(os.close, self._alive)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

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
        """Start a process with this environment and no other; as another account or in a folder if one is named."""
        log = self.logs / f"{name}.log"
        process = Process(
            name,
            log,
            self._spawn(command, environment, log, run_as, working_directory),
            stop_signal,
        )
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
    ) -> None:
        """Start a process that has an end, and wait for its success.

        Raises:
            CannotRunError: It ended with an error.
        """
        process = self.start(name, command, environment, run_as=run_as)
        self._processes.remove(process)
        while process.popen.poll() is None:
            await asyncio.sleep(POLL_SECONDS)
        if process.popen.returncode:
            process.check()

    def add_cleanup(self, clean_up: Callable[[], object]) -> None:
        """Do this when everything that is started from now on has stopped."""
        self._stack.callback(clean_up)

    def check(self) -> None:
        """Make sure that all run but those that have an end.

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
        account: struct_passwd | None,
        folder: Path | None,
    ) -> "subprocess.Popen[bytes]":
        if account:
            command = [
                sys.executable,
                "-IS",
                Path(__file__).with_name("unprivileged.py"),
                account.pw_name,
                *command,
            ]
        with log.open("wb") as output:
            return subprocess.Popen(
                list(command),
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._alive, *self.inherited_fds],
                process_group=self._leader,
            )
