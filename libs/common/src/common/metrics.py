"""Prometheus metrics of requests. No label ever contains what a user wrote."""

from http import HTTPMethod

from prometheus_client import Histogram

REQUESTS = Histogram(
    "http_request_duration_seconds", "Until all was sent.", ["method", "route", "status"]
)


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request.

    Methods and paths that clients make up share one label each: their number has no limit.

    Args:
        method: The method as it was sent.
        route: The path template of the route; None if no route matches.
        status: The status of the response.
        seconds: The time until all was sent.
    """
    if method not in HTTPMethod.__members__:
        method = "other"
    REQUESTS.labels(method, route or "unknown", status).observe(seconds)
