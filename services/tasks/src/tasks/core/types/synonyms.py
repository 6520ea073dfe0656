"""What clients that are used to other APIs call our fields and parameters."""

from collections.abc import Mapping, Sequence
from typing import Final

SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    "title": ("name", "text", "task", "todo", "summary", "subject"),
    "name": ("title", "label", "text"),
    "description": ("notes", "note", "body", "content", "details", "desc", "comment"),
    "is_completed": ("done", "finished", "checked", "closed", "complete_status"),
    "priority": ("prio", "importance", "urgency"),
    "due": ("due_date", "due_at", "due_on", "due_time", "deadline", "date"),
    "due_before": ("due", "due_date", "deadline", "before", "until"),
    "due_after": ("after",),
    "labels": ("tags", "tag", "categories", "category"),
    "labels_add": ("labels", "tags", "add_labels"),
    "labels_remove": ("remove_labels",),
    "label": ("tags", "tag", "categories", "category"),
    "list_id": ("project", "folder", "inbox"),
    "user_id": ("owner", "owner_id"),
    "q": ("query", "search", "text", "title", "filter"),
    "sort": ("order", "order_by", "ordering"),
    "limit": ("size", "page_size", "per_page", "count", "first", "take"),
    "cursor": ("page", "page_token", "offset", "skip"),
    "time_zone": ("tz",),
    "since": ("cursor", "token", "next", "sync_token"),
}
"""Other names of each field. A model uses those of the fields that it has."""
