"""Parameters for the name of a list or a label."""

from common.database import Row
from tasks.core.types.names import fold


def name_params(name: str) -> Row:
    """Return the name as it is spelled and as it is compared.

    An empty name becomes null, which leaves the stored name as it is.
    """
    return {"new_name": name or None, "new_folded_name": fold(name) or None}
