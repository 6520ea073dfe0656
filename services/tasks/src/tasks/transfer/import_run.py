"""The state of one import, from its first line to its end."""

from dataclasses import dataclass, field
from uuid import UUID

from uuid_utils.compat import uuid7

from tasks.transfer.batching import LineRange
from tasks.transfer.concurrency import SMALL_IMPORT_MAX_BYTES, ImportPriority
from tasks.transfer.context import ImportContext
from tasks.transfer.resolver import ReferenceResolver


@dataclass
class ImportRun:
    """The state of one import.

    Attributes:
        references: The lists and labels of the lines that were read so far.
        ranges: The lines that were read so far, in ranges that are merged together.
        byte_count: The size of these lines.
        staged_count: The distinct task ids among them.
        has_links: Whether any of these tasks names another one.
    """

    context: ImportContext
    id: UUID = field(default_factory=uuid7)
    references: ReferenceResolver = field(default_factory=ReferenceResolver)
    ranges: list[LineRange] = field(default_factory=list[LineRange])
    byte_count: int = 0
    staged_count: int = 0
    has_links: bool = False

    def __post_init__(self) -> None:
        self._number = self.context.limits.next_import_number()

    @property
    def priority(self) -> ImportPriority:
        """The order among imports that wait for a slot."""
        return ImportPriority(self.byte_count > SMALL_IMPORT_MAX_BYTES, self._number)
