"""Ends a process group once the one who started it is gone, even if by `kill -9`.

It leads the group, so its end of two pipes tells all it must know: standard input ends when the owner is gone, and the
pipe named on the command line, which every other member of the group holds open, when all of them are.
"""

import os
import select
import signal
import sys
from typing import Final

STEP_SECONDS: Final = 3.0
"""How long each signal may take before the next, harder one."""


def main() -> None:
    """Wait for the owner's end, then end what is left of the group."""
    everybody_else = int(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    # PostgreSQL takes SIGTERM as "when all clients have left", SIGINT as "now".
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        if select.select([everybody_else], [], [], 0)[0]:
            return
        os.killpg(0, number)
        select.select([everybody_else], [], [], STEP_SECONDS)


if __name__ == "__main__":
    main()
