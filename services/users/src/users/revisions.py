"""Which revisions of its database this release of the users service can work with."""

from typing import Final

from common.database.checks import Release
from users.models import METADATA

REVISIONS: Final = ("88a9e6e7687b",)
"""Each revision in `migrations`, the oldest first; a test compares. The image knows them without looking there."""

RELEASE: Final = Release(
    service="users",
    revisions=REVISIONS,
    # A migration that takes away what older releases need moves this to the first one that does without.
    compatible_from="88a9e6e7687b",
    tables=tuple(METADATA.tables),
)
