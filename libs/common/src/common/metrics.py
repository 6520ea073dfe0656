"""Count requests for Prometheus; no label ever holds what a user wrote."""

from http import HTTPMethod

from prometheus_client import Histogram

REQUESTS = Histogram(
    "http_request_duration_seconds", "Until all was sent.", ["method", "route", "status"]
)
"""Every request, in seconds."""


def count_request(verb: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request; what clients make up has no name of its own here, or there would be no end of them."""
    REQUESTS.labels(
        verb if verb in HTTPMethod.__members__ else "other", route or "unknown", status
    ).observe(seconds)
