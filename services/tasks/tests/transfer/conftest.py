import pytest

from tasks.transfer import batching, service


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide a handful of records into several pages, batches and ranges."""
    monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", 2)
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 2)
    monkeypatch.setattr(batching, "RANGE_LINES_MAX", 2)
