"""The SQL of `docs/operating.md` that lets a second role take over a database, for tests."""

import re
from typing import Final

from devkit.platform.settings import CHECKOUT

_SECTION: Final = re.compile(r"\*\*A database password\.\*\*(.+?)The same works on Neon", re.DOTALL)
_STATEMENTS: Final = re.compile(r"`((?:CREATE|ALTER) ROLE [^`]+)`")


def rotation_statements(role: str, password: str) -> list[str]:
    """Return the statements that the page shows, the last of which ends the old role.

    Args:
        role: Name of the old role and of its database; `tasks` on the page.
        password: Password of the new role, whose name is that of the old one and `_2`.
    """
    page = (CHECKOUT / "docs" / "operating.md").read_text()
    section = _SECTION.search(page)
    if section is None:
        raise LookupError("docs/operating.md describes no rotation of a database password")
    statements: list[str] = []
    for text in _STATEMENTS.findall(section[1]):
        statements.append(text.replace("tasks", role).replace("…", password))
    return statements
