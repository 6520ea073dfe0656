"""Why there is no key set: for everybody in one plain sentence, for operators with what the key server said."""

from typing import Final

SHOWN_MAX_CHARACTERS: Final = 200
"""Of what a key server says, at most so much is shown to operators."""


class KeySetError(Exception):
    """No usable key set came from the key server.

    `reason` continues the sentence "The key server …" and names neither addresses nor secrets, because `/readyz` shows
    it to everybody. `detail` is for the log: what the server said, printable and without what may be secret.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = ascii(detail)[1:-1][:SHOWN_MAX_CHARACTERS]

    def __str__(self) -> str:
        """Return reason and detail."""
        return f"{self.reason} ({self.detail})" if self.detail else self.reason
