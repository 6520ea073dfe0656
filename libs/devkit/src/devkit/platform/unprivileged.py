"""Become another account, and then another program: `python -IS unprivileged.py nobody COMMAND...`, as root.

That account may enter no folder that is closed to others, such as /root, where the checkout or the virtual environment
may be. Instead of opening those folders to everybody, on Linux the one permission that root has there is kept.
"""

import ctypes
import os
import pwd
import struct
import sys

CAP_DAC_OVERRIDE = 1
"""Pass the permissions of files and folders. Source: capabilities(7)."""

PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 28, 47, 2
"""Source: linux/prctl.h."""

SECBIT_NO_SETUID_FIXUP = 1 << 2
"""Keep capabilities when the account changes, and count them in access(2), which PostgreSQL asks about its programs."""

CAPABILITY_VERSION = 0x20080522
"""Source: linux/capability.h."""


def become(name: str) -> None:
    """Change the account, and keep the permission where it is to be had; without it, as far as folders are open."""
    account = pwd.getpwnam(name)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if libc:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if libc:
        keep_capability(libc, 1 << CAP_DAC_OVERRIDE)


def keep_capability(libc: ctypes.CDLL, mask: int) -> None:
    """Make a capability survive the next program, whoever runs it; one that root lacks here is left out."""
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0))
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """Become somebody else, then something else."""
    name, *command = sys.argv[1:]
    become(name)
    try:
        os.execv(command[0], command)  # noqa: S606 - a program that we name
    except PermissionError:
        sys.exit(
            f"{name} may not run {command[0]}, and PostgreSQL cannot run as root: start this as another user."
        )


if __name__ == "__main__":
    main()
