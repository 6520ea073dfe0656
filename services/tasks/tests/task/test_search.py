"""A search disregards case as names do, whichever of the two programs folds a text."""

import unicodedata
from typing import Final

import pytest
from sqlalchemy import Integer, Text, bindparam, func, select

from common.database import engine_lifespan, fetch_all
from devkit.platform.databases import MigratedDatabases
from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import create_list, create_task, list_titles

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
async def test_what_is_one_name_is_found_by_either_spelling(
    as_user: ClientFactory, text: str, other: str
) -> None:
    owner = as_user("owner")
    await create_list(owner, text)
    await create_task(owner, f"x{text}x", labels=[text])
    await create_task(owner, "x", description=f"x{other}x")
    await create_task(owner, "neither")

    assert (await owner.post("/lists", json={"name": other})).json()["code"] == "name-taken"
    for spelling in (text, other):
        assert await list_titles(owner, label=spelling) == [f"x{text}x"]
        assert await list_titles(owner, q=spelling) == [f"x{text}x", "x"]


async def test_titles_are_sorted_and_paged_without_regard_to_case(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    for title in ("strassf", "STRASSE", "ΐ", "Straße", "strasse"):
        await create_task(owner, title)

    expected = ["STRASSE", "Straße", "strasse", "strassf", "ΐ"]
    assert await list_titles(owner, sort="title") == expected
    page = await owner.get("/tasks?sort=title&limit=1")
    seen = [task["title"] for task in page.json()]
    while "next" in page.links:
        page = await owner.get(page.links["next"]["url"])
        seen += [task["title"] for task in page.json()]
    assert seen == expected


async def test_the_database_folds_every_character_as_names_are_folded(
    databases: MigratedDatabases,
) -> None:
    """Characters of only one of both Unicode versions are left out."""
    numbers = func.generate_series(
        bindparam("first", type_=Integer), bindparam("last", type_=Integer)
    ).column_valued()
    folded = func.casefold(func.chr(numbers, type_=Text).collate("pg_unicode_fast"))
    statement = select(numbers.label("number"), folded.label("folded"))

    found: dict[str, object] = {}
    async with engine_lifespan(await databases.create("tasks")) as engine:
        for first, last in ((1, 0xD7FF), (0xE000, 0x10FFFF)):
            found |= {
                chr(row["number"]): row["folded"]
                for row in await fetch_all(engine, statement, first=first, last=last)
            }

    known = [character for character in found if unicodedata.category(character) != "Cn"]
    assert len(known) > 280_000
    assert [
        ascii(character) for character in known if found[character] != character.casefold()
    ] == []
