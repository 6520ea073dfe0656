"""The explanation of every code of problem documents and of their `errors`."""

import tomllib
from importlib.resources import files
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter


class ProblemExplanation(BaseModel):
    """The meaning of a problem code, and what a client can do about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statuses: tuple[int, ...] = ()
    """The statuses of the responses whose `code` it is."""

    in_errors: bool = False
    """Whether it can be the `code` of an item of `errors`."""

    meaning: str
    remedy: str


PROBLEM_CATALOGUE: Final = TypeAdapter(dict[str, ProblemExplanation]).validate_python(
    tomllib.loads(files("auth_gateway").joinpath("public", "problems.toml").read_text())
)
"""The explanation of every code that any of the services responds with."""


def problem_statuses() -> list[int]:
    """Return the statuses that have codes, in ascending order."""
    statuses: set[int] = set()
    for explanation in PROBLEM_CATALOGUE.values():
        statuses.update(explanation.statuses)
    return sorted(statuses)


def codes_of_status(status: int) -> list[str]:
    """Return the codes of the responses with this status, in the catalogue's order."""
    return [code for code, entry in PROBLEM_CATALOGUE.items() if status in entry.statuses]


def codes_in_errors() -> list[str]:
    """Return the codes of the items of `errors`, in the catalogue's order."""
    return [code for code, entry in PROBLEM_CATALOGUE.items() if entry.in_errors]
