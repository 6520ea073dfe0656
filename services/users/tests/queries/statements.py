"""Every statement of the users service, by the name of its snapshot."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Executable

from users import queries

STATEMENTS: Final[Mapping[str, Executable]] = {
    "get_user": queries.GET_USER,
    "save_user": queries.SAVE_USER,
    "erase_user": queries.ERASE_USER,
}
