"""The parameter `q`: plain text, case-insensitive, in titles and descriptions."""

from typing import Final

import pytest

from e2e.support.user_client import UserClientFactory

MATCHES: Final = [
    ("Water the plants", "water"),
    ("Water the plants", "THE PL"),
    ("Water the plants", "s"),
    ("100% sure", "100%"),
    ("snake_case", "E_C"),
    (r"back\slash", "k\\S"),
    ("a\\", "\\"),
    ("50%", "%"),
    ("(a|b)* [c] ^d$ .?+", "*"),
    ("(a|b)* [c] ^d$ .?+", "[C] ^"),
    ('it\'s "quoted"', "'s \""),
    ("GRÜSSE", "grüsse"),
    ("Ärger", "ärg"),
    ("ärger", "ÄRG"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ("Οδυσσεύς", "ΣΕΎΣ"),
    ("ς", "σ"),
    ("σ", "ς"),
    ("Σ", "ς"),
    ("ς", "Σ"),
    ("ſtreet", "Street"),
    ("Street", "ſ"),
    ("\u212aelvin", "kelvin"),
    ("kelvin", "\u212a"),
    ("\u00b5m", "\u03bcM"),
    ("\u1e9e", "ß"),
    ("ẞ", "SS"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("strasse", "ß"),
    ("Straße", "asse"),
    ("Maß", "s"),
    ("ﬁnde Suﬃx", "FIND"),
    ("Suffix", "ﬃ"),
    ("ﬅ", "ST"),
    ("İstanbul", "i\u0307STANBUL"),
    ("İstanbul", "i"),
    ("ŉ", "\u02bcN"),
    ("ǰ", "J\u030c"),
    ("ẖ", "H\u0331"),
    ("և", "ԵՒ"),
    ("ᾳ", "ΑΙ"),
    ("ᾼ", "ᾳ"),
    ("ΐ", "Ϊ\u0301"),
    ("Ϊ\u0301", "ΐ"),
    ("ΰ", "Ϋ\u0301"),
    ("ῗ", "Ϊ\u0342"),
    ("Ϊ", "ϊ"),
    ("ᾶ", "Α\u0342"),
    ("Ꭰ", "ꭰ"),
    ("ǆ", "ǅ"),
    ("ПРИВЕТ", "привет"),
    ("𐐀", "𐐨"),
    ("漢字", "字"),
    ("🌱🌿", "🌿"),
    ("Grüße", "u\u0308ß"),
    ("a+b", "a+b"),
    ("a b", "a b"),
    ("a  b", "  "),
]

MISMATCHES: Final = [
    ("100 sure", "100%"),
    ("anything", "%"),
    ("anything", "_"),
    ("snakeXcase", "e_c"),
    ("backslash", "\\"),
    ("50%", "50\\%"),
    ("anything", "*"),
    ("anything", "."),
    ("Ärger", "arger"),
    ("water", "water "),
    ("Straße", "STRASE"),
    ("ı", "i"),
    ("I", "ı"),
    ("i", "İ"),
    ("ﬁ", "if"),
    ("α", "ᾳ"),
]


@pytest.mark.parametrize(("text", "query"), MATCHES)
async def test_a_search_finds_texts_that_contain_the_query(
    as_user: UserClientFactory, text: str, query: str
) -> None:
    ann = as_user("ann")
    with_title = await ann.create_task(text)
    with_description = await ann.create_task("\u2718", description=text)
    await ann.create_task("\u2718", description="\u2718")

    assert await ann.list_tasks(q=query) == [with_title, with_description]


@pytest.mark.parametrize(("text", "query"), MISMATCHES)
async def test_a_search_does_not_find_other_texts(
    as_user: UserClientFactory, text: str, query: str
) -> None:
    ann = as_user("ann")
    await ann.create_task(text, description=text)
    await ann.create_task(text)

    assert await ann.list_tasks(q=query) == []


async def test_title_and_description_are_searched_separately(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task("ab", description="cd")

    assert await ann.list_tasks(q="bc") == []
    for query in ("pending", "null", task["id"], ann.id[:8], task["created_at"][:10]):
        assert await ann.list_tasks(q=query) == []


async def test_a_query_of_200_characters_is_accepted(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task("🌱" * 200)

    assert await ann.list_tasks(q="🌱" * 200) == [task]
    assert await ann.list_tasks(q="e\u0301" * 200) == []


async def test_a_query_may_have_several_lines(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task(description="One\nTwo\tThree")

    assert await ann.list_tasks(q="one\ntwo\tthree") == [task]
