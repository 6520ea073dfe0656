"""Which revisions of its database this release of the tasks service can work with."""

from typing import Final

from common.database.checks import Release
from tasks.core.history import RAISE_ALL_VERSIONS
from tasks.models import METADATA

REVISIONS: Final = ("f30362ae1a1a", "a41c09e7d352", "c7d20f5b1e94", "d3b51a7c60f8", "5b8f0c3e7a19")
"""Each revision in `migrations`, the oldest first; a test compares. The image knows them without looking there."""

RELEASE: Final = Release(
    service="tasks",
    revisions=REVISIONS,
    # A migration that takes away what older releases need moves this to the first one that does without.
    compatible_from="f30362ae1a1a",
    tables=tuple(METADATA.tables),
    raise_versions=RAISE_ALL_VERSIONS,
)
