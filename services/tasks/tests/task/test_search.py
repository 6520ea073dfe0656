"""Searches ignore case as names do: Python and PostgreSQL fold a text alike."""

import unicodedata
from typing import Final

import pytest
from sqlalchemy import Integer, Text, bindparam, func, select

from common.database import engine_lifespan, fetch_all
from devkit.platform.databases import MigratedDatabases
from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import create_list, create_task, field_values, list_titles

SPELLINGS: Final = [
    ("Straße", "STRASSE"),
    ("Straße", "straẞe"),
    ("ﬁsh", "FISH"),
    ("Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"),
    ("İzmir", "i\u0307ZMIR"),
    ("ŉ", "\u02bcN"),
    ("ǰ", "J\u030c"),
    ("ΐ", "Ϊ\u0301"),
    ("ΰ", "Ϋ\u0301"),
    ("ᾂ", "ἊΙ"),
    ("և", "ԵՒ"),
]


@pytest.mark.parametrize(("text", "other"), SPELLINGS)
async def test_either_spelling_of_a_name_finds_it(
    as_user: ClientFactory, text: str, other: str
) -> None:
    owner = as_user("owner")
    await create_list(owner, text)
    await create_task(owner, f"x{text}x", labels=[text])
    await create_task(owner, "x", description=f"x{other}x")
    await create_task(owner, "neither")

    rejected = await owner.post("/lists", json={"name": other})
    assert rejected.json()["code"] == "name-taken"
    for spelling in (text, other):
        assert await list_titles(owner, label=spelling) == [f"x{text}x"]
        assert await list_titles(owner, q=spelling) == [f"x{text}x", "x"]


async def test_titles_are_sorted_and_paged_without_regard_to_case(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    for title in ("strassf", "STRASSE", "ΐ", "Straße", "strasse"):
        await create_task(owner, title)

    sorted_titles = ["STRASSE", "Straße", "strasse", "strassf", "ΐ"]
    assert await list_titles(owner, sort="title") == sorted_titles
    page = await owner.get("/tasks?sort=title&limit=1")
    titles_of_pages = field_values(page.json(), "title")
    while "next" in page.links:
        page = await owner.get(page.links["next"]["url"])
        titles_of_pages += field_values(page.json(), "title")
    assert titles_of_pages == sorted_titles


async def test_the_database_folds_every_character_as_names_are_folded(
    databases: MigratedDatabases,
) -> None:
    """Ignores characters that only one of the two Unicode versions has."""
    numbers = func.generate_series(
        bindparam("first", type_=Integer), bindparam("last", type_=Integer)
    ).column_valued()
    folded = func.casefold(func.chr(numbers, type_=Text).collate("pg_unicode_fast"))
    statement = select(numbers.label("number"), folded.label("folded"))

    character_count = 0
    differences: list[str] = []
    async with engine_lifespan(await databases.create("tasks")) as engine:
        for first, last in ((1, 0xD7FF), (0xE000, 0x10FFFF)):
            for row in await fetch_all(engine, statement, first=first, last=last):
                character = chr(row["number"])
                if unicodedata.category(character) == "Cn":
                    continue
                character_count += 1
                if row["folded"] != character.casefold():
                    differences.append(ascii(character))

    assert character_count > 280_000
    assert differences == []
