"""Run a command as an unprivileged user: `python -IS unprivileged.py nobody COMMAND...`, as root.

The checkout or the virtual environment may be in a folder that only root can enter, such as /root.
So that no folder has to be opened to everybody, the command keeps one of root's capabilities on
Linux: CAP_DAC_OVERRIDE. Uses only the standard library, because `-IS` hides the virtual
environment.
"""

import ctypes
import os
import pwd
import struct
import sys

CAP_DAC_OVERRIDE = 1
"""Bypass the permission checks of files and folders. Source: capabilities(7)."""

PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
"""Operations of prctl(2). Source: linux/prctl.h."""

SECBIT_NO_SETUID_FIXUP = 1 << 2
"""Keep capabilities when the user changes.

They then count for access(2) as well, which PostgreSQL calls on its own programs.
"""

CAPABILITY_VERSION = 0x20080522
"""Source: linux/capability.h."""


def drop_privileges(user_name: str) -> None:
    """Become this user, with CAP_DAC_OVERRIDE where the system has it."""
    user = pwd.getpwnam(user_name)
    if sys.platform != "linux":
        _change_user(user)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    _change_user(user)
    _keep_capability(libc, CAP_DAC_OVERRIDE)


def _change_user(user: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def _keep_capability(libc: ctypes.CDLL, capability: int) -> None:
    """Keep a capability across execve(2); nothing happens if root itself lacks it here."""
    mask = 1 << capability
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0))
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def main() -> None:
    """Drop privileges, then replace this process by the command."""
    user_name = sys.argv[1]
    command = sys.argv[2:]
    drop_privileges(user_name)
    try:
        os.execv(command[0], command)  # noqa: S606 - a program that this package names
    except PermissionError:
        sys.exit(
            f"{user_name} may not run {command[0]}, and PostgreSQL cannot run as root: "
            "start this as another user."
        )


if __name__ == "__main__":
    main()
