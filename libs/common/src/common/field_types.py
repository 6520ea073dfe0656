"""Types of fields that several services have in their requests and responses."""

from typing import Annotated

from pydantic import Field, JsonValue, WithJsonSchema

DateTimeText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        examples=["2026-11-21T08:30:00.000000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
"""An instant in a response: RFC 3339 in UTC with `Z` and six decimals."""

IgnoredReadOnly = Annotated[
    JsonValue, WithJsonSchema({"description": "May be sent as it was read; it is ignored."})
]
"""A member that only the service sets, in a representation that a client sends back."""
