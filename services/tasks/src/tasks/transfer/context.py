from dataclasses import dataclass

from tasks.core.context import WriteRequestContext
from tasks.transfer.concurrency import ImportLimits


@dataclass(frozen=True, slots=True)
class ImportContext(WriteRequestContext):
    """The context of an import: a write, with the limits of imports and the quota of tasks."""

    limits: ImportLimits
    tasks_max: int
