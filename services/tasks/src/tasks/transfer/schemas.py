"""The response to an import."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImportReport:
    """How many records of an import were created, updated or already there.

    `renumbered` counts those of them that are stored under another id than in the file.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    renumbered: int = 0

    def plus(self, other: "ImportReport") -> "ImportReport":
        """Return the sum of two reports."""
        return ImportReport(
            created=self.created + other.created,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            renumbered=self.renumbered + other.renumbered,
        )
