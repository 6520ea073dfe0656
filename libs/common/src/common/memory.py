"""Settings of the garbage collector and the allocator, for short pauses and little memory."""

import ctypes
import gc
from contextlib import suppress
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Source: glibc, malloc.h."""

LARGE_BYTES: Final = 65_536
"""Blocks of this size or more are returned to the system as soon as they are freed."""

TRIM_BYTES: Final = 131_072
"""Free bytes at the end of the heap from which on they are returned to the system."""


def tune() -> None:
    """Set up the process; call it after all modules are loaded."""
    _exempt_from_collection()
    _return_large_pieces()


def _exempt_from_collection() -> None:
    """Exempt all existing objects from garbage collection.

    A body of thousands of arrays starts full collections. Each would visit all modules, classes and
    schemas, which blocks the event loop for 50 ms.
    """
    gc.collect()
    gc.freeze()


def _return_large_pieces() -> None:
    """Return the memory of long lists and bodies to the system.

    By default glibc raises its threshold with each large block that is freed, and keeps the memory:
    after 20 lists of long texts 40 MiB stayed allocated. Other C libraries have no such function,
    and need none.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, TRIM_BYTES)
