"""How a process keeps its memory small and its event loop free: settings of the collector and of the allocator."""

import ctypes
import gc
from contextlib import suppress
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Source: glibc, malloc.h."""

LARGE_BYTES: Final = 65_536
"""From this size on a piece of memory goes back to the system as soon as it is free."""

TRIM_BYTES: Final = 131_072
"""How much may be free at the end of the heap before it goes back, too."""


def tune() -> None:
    """Set up the process, when all that a service is made of has been loaded."""
    _exempt_from_collection()
    _return_large_pieces()


def _exempt_from_collection() -> None:
    """Exempt what a service is made of from garbage collection, for good.

    A body of thousands of arrays starts full collections. Each would look at all modules, classes and schemas, which
    takes 50 ms in which nobody else is answered.
    """
    gc.collect()
    gc.freeze()


def _return_large_pieces() -> None:
    """Give the memory of long lists and bodies back to the system.

    By itself glibc raises the limit with each large piece that is freed, and keeps what was needed once: 20 lists of
    long texts left 40 MiB behind. Other C libraries have no such function, and need none.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, TRIM_BYTES)
