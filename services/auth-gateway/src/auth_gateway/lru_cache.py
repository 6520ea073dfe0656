"""A dictionary that forgets what was not asked for lately."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LeastRecentlyUsed(Generic[Key, Value]):
    """Holds at most `size_max` entries."""

    def __init__(self, size_max: int) -> None:
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._size_max = size_max

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return the entry, which counts as a use of it."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep an entry, and let go of the one that was used longest ago."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size_max:
            self._entries.popitem(last=False)
