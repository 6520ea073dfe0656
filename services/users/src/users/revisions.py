"""The revisions of the database that this release of the users service works with."""

from typing import Final

from common.database.release import Release
from users.models import METADATA

REVISIONS: Final = ("88a9e6e7687b",)
"""All revisions in `migrations`, the oldest first. A test compares them.

They are listed here because the image of the service has no migrations.
"""

RELEASE: Final = Release(
    service="users",
    revisions=REVISIONS,
    # A migration that removes what older releases need moves this to the first release without it.
    compatible_from="88a9e6e7687b",
    tables=tuple(METADATA.tables),
)
