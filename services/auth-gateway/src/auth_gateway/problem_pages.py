"""The pages of the problem codes, and their index."""

import html
import re
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Final

from auth_gateway.problem_catalogue import (
    PROBLEM_CATALOGUE,
    codes_in_errors,
    codes_of_status,
    problem_statuses,
)
from common.problems import ProblemError

STATUS_TITLES: Final = {problem.status: problem.title for problem in ProblemError.__subclasses__()}

ERRORS_TITLE: Final = "Invalid fields: codes in <code>errors</code>"
"""The title of the group of codes that tell what is wrong with one field."""


def _read_template(name: str) -> Template:
    return Template(files("auth_gateway").joinpath("public", "problems", name).read_text())


_PAGE: Final = _read_template("page.html")
_INDEX: Final = _read_template("index.html")
_GROUP: Final = _read_template("group.html")
_ENTRY: Final = _read_template("entry.html")


def render_problem_page(code: str) -> str:
    """Return the page that explains a code of the catalogue."""
    explanation = PROBLEM_CATALOGUE[code]
    places = [_status_title(status) for status in explanation.statuses]
    if explanation.in_errors:
        places.append("in <code>errors</code>")
    return _PAGE.substitute(
        code=code,
        places=", ".join(places),
        meaning=_render_text(explanation.meaning),
        remedy=_render_text(explanation.remedy),
    )


def render_problem_index() -> str:
    """Return the page that lists all codes, grouped by status."""
    groups: list[str] = []
    for status in problem_statuses():
        groups.append(_render_group(str(status), _status_title(status), codes_of_status(status)))
    groups.append(_render_group("errors", ERRORS_TITLE, codes_in_errors()))
    return _INDEX.substitute(groups="\n".join(groups))


def _render_group(name: str, title: str, codes: Sequence[str]) -> str:
    entries: list[str] = []
    for code in codes:
        meaning = _render_text(PROBLEM_CATALOGUE[code].meaning)
        entries.append(_ENTRY.substitute(code=code, meaning=meaning))
    return _GROUP.substitute(name=name, title=title, entries="\n".join(entries))


def _status_title(status: int) -> str:
    return f"{status} {STATUS_TITLES[status]}"


def _render_text(text: str) -> str:
    """Show text between backticks as code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text))
