"""All fields of a task. Tests of every way in which a task is written and read use this list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RESPONSE_FIELDS: Final = [
    "id",
    "user_id",
    "title",
    "description",
    "is_completed",
    "status",
    "completed_at",
    "created_at",
    "updated_at",
    "version",
    "list_id",
    "due",
    "priority",
    "labels",
    "position",
    "recurrence",
    "previous_id",
    "parent_id",
]
"""The fields of a response, in their order."""

FIRST_LIST_ID: Final = "01900000-0000-7000-8000-00000000000a"
SECOND_LIST_ID: Final = "01900000-0000-7000-8000-00000000000b"


@dataclass(frozen=True)
class Values:
    """Two values of a field, neither of them its default, as requests and responses have them."""

    first: object
    second: object


EDITABLE_FIELDS: Final[Mapping[str, Values]] = {
    "title": Values("Water the plants", "Water the cactus"),
    "description": Values("All of them", "Only a little"),
    "is_completed": Values(first=True, second=False),
    "list_id": Values(FIRST_LIST_ID, SECOND_LIST_ID),
    "due": Values(
        {"date": "2026-11-30", "time": None, "time_zone": None, "at": None},
        {
            "date": "2026-12-01",
            "time": "08:30",
            "time_zone": "UTC",
            "at": "2026-12-01T08:30:00.000000Z",
        },
    ),
    "priority": Values("high", "low"),
    "labels": Values(["home"], ["garden", "home"]),
    "recurrence": Values(
        {"rule": "FREQ=WEEKLY;BYDAY=MO", "from": "due"},
        {"rule": "FREQ=DAILY", "from": "completion"},
    ),
}
"""The fields that a client can edit. `status` is another spelling of `is_completed`."""
