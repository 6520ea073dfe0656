"""Ends a process group when the process that started it is gone, even by `kill -9`.

The watchdog leads the group and reads two pipes: standard input ends when the owner is gone; the
pipe named on the command line ends when all other processes of the group are gone, which hold it
open. Node.js closes the pipe in what it starts itself: such processes are killed at the end.
"""

import os
import select
import signal
import sys
from typing import Final

STEP_SECONDS: Final = 3.0
"""How long each signal may take before the next, harder one."""


def main() -> None:
    """Wait for the end of the owner, then end the other processes of the group, and this one."""
    others_alive = int(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    # PostgreSQL stops after SIGTERM only when all clients have left, after SIGINT at once.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        if _has_ended(others_alive, 0):
            break
        os.killpg(0, number)
        _has_ended(others_alive, STEP_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _has_ended(pipe: int, timeout_seconds: float) -> bool:
    """Wait for the end of a pipe; whether it came in time."""
    readable, _, _ = select.select([pipe], [], [], timeout_seconds)
    return bool(readable)


if __name__ == "__main__":
    main()
