"""What `make check` says when the types of the TypeScript client are out of date."""

import asyncio
from pathlib import Path

import pytest

from devkit.cli import typescript
from devkit.platform.errors import CannotRunError


def test_types_that_are_older_than_the_openapi_document_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(typescript.install())
    older = tmp_path / "openapi.ts"
    types = typescript.API_TYPES.read_text(encoding="utf-8")
    older.write_text(types.replace("is_completed", "completed", 1), encoding="utf-8")

    typescript.check_api_types()
    monkeypatch.setattr(typescript, "API_TYPES", older)
    with pytest.raises(CannotRunError, match="make fix"):
        typescript.check_api_types()
