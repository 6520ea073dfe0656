"""The revisions of the database that this release of the tasks service can work with."""

from typing import Final

from common.database.release import Release
from tasks.core.history import RAISE_ALL_VERSIONS
from tasks.models import METADATA, REVISIONS

RELEASE: Final = Release(
    service="tasks",
    revisions=REVISIONS,
    # A migration that removes what older releases need raises this to its own revision.
    compatible_from="f30362ae1a1a",
    tables=tuple(METADATA.tables),
    raise_versions=RAISE_ALL_VERSIONS,
)
