"""The revisions of the database that this release of the tasks service can work with."""

from typing import Final

from common.database.checks import Release
from tasks.core.history import RAISE_ALL_VERSIONS
from tasks.models import METADATA

REVISIONS: Final = ("f30362ae1a1a", "a41c09e7d352", "c7d20f5b1e94", "d3b51a7c60f8", "5b8f0c3e7a19")
"""All revisions in `migrations`, the oldest first. A test compares them.

They are repeated here because the image has no access to the migrations' history at run time.
"""

RELEASE: Final = Release(
    service="tasks",
    revisions=REVISIONS,
    # A migration that removes what older releases need raises this to its own revision.
    compatible_from="f30362ae1a1a",
    tables=tuple(METADATA.tables),
    raise_versions=RAISE_ALL_VERSIONS,
)
