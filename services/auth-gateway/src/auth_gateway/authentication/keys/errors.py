from typing import Final

DETAIL_MAX_CHARACTERS: Final = 200
"""The longest part of a key server's own words that operators are shown."""


class KeySetError(Exception):
    """No usable key set came from the key server.

    Args:
        reason: Continues the sentence "The key server ...". It names neither URLs nor secrets,
            because `/readyz` shows it to everyone.
        detail: What the server or the system said, for the log, without what may be secret.
            Stored in printable ASCII.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = ascii(detail)[1:-1][:DETAIL_MAX_CHARACTERS]

    def __str__(self) -> str:
        """Return reason and detail."""
        if self.detail:
            return f"{self.reason} ({self.detail})"
        return self.reason
