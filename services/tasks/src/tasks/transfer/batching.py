"""Groups the lines of an import: batches are staged together, ranges are merged together."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from tasks.transfer.lines import Line

BATCH_LINES_MAX: Final = 200
"""Lines that are parsed, and sent to the database, together."""

BATCH_BYTES_MAX: Final = 262_144
"""A batch ends with the line that reaches this size."""

RANGE_LINES_MAX: Final = 200
"""Lines that one statement merges: it ends long before the statement timeout.

Statistics that are out of date make PostgreSQL compare all labels of a range with all tasks of it,
so the time of a range may grow with the square of its length.
"""

RANGE_BYTES_MAX: Final = 8_388_608
"""A range ends with the batch that reaches this size."""


async def batches(lines: AsyncIterable[Line | None]) -> AsyncIterator[list[Line]]:
    """Group lines as they arrive, unparsed: parsed they would take several times the memory.

    A batch ends early when the client pauses (None), so that an error in it is reported now and not
    when the client goes on, if ever.
    """
    batch: list[Line] = []
    byte_count = 0
    async for line in lines:
        if line is not None:
            batch.append(line)
            byte_count += len(line.text)
        is_paused = line is None
        is_full = len(batch) >= BATCH_LINES_MAX or byte_count >= BATCH_BYTES_MAX
        if batch and (is_paused or is_full):
            yield batch
            batch = []
            byte_count = 0
    if batch:
        yield batch


@dataclass
class LineRange:
    """Successive lines of an import, from number `first` to `last`, that one statement merges."""

    first: int
    last: int
    line_count: int = 0
    byte_count: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the next batch starts another range."""
        return self.line_count >= RANGE_LINES_MAX or self.byte_count >= RANGE_BYTES_MAX

    def add(self, batch: Sequence[Line]) -> None:
        """Extend the range by a batch."""
        self.last = batch[-1].number
        self.line_count += len(batch)
        self.byte_count += batch_size(batch)


def batch_size(batch: Sequence[Line]) -> int:
    """Return the bytes of a batch."""
    return sum(len(line.text) for line in batch)


def extend_ranges(ranges: list[LineRange], batch: Sequence[Line]) -> None:
    """Add a batch to the last range, or to a new one if that is full."""
    first_line = batch[0].number
    if not ranges or ranges[-1].is_full:
        ranges.append(LineRange(first=first_line, last=first_line))
    ranges[-1].add(batch)
