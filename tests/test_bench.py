"""How the measurements are shown; that they can be taken is seen by `make bench`."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from bench.picture import UNIT, picture
from bench.report import Row, table

FLOOR = Row("get", "floor", 300, {"floor": 1.0}, 1, 1, 5.0, 9.0, 2.0)
EDGE = replace(
    FLOOR, way="forward-auth mode", multiples={"edge": 1.5, "gateway": 0.25, "tasks": 2.0}
)
SVG = "{http://www.w3.org/2000/svg}"


def test_our_own_processes_are_added_up_apart_from_the_edge() -> None:
    assert (EDGE.python, EDGE.whole) == (2.25, 3.75)


def test_every_row_has_a_line_with_a_cell_for_each_process() -> None:
    lines = table([FLOOR, EDGE], []).splitlines()

    assert [cell.strip() for cell in lines[2].split("|")][1:5] == ["get", "floor", "300 µs", ""]
    assert [cell.strip() for cell in lines[3].split("|")][3:8] == [
        "2.00",
        "0.25",
        "1.50",
        "2.25",
        "3.75",
    ]


def test_a_bar_has_a_piece_for_each_process_as_long_as_its_share() -> None:
    pieces = ET.fromstring(picture([EDGE])).findall(f"{SVG}rect")[-3:]  # noqa: S314 - drawn here

    assert [float(piece.attrib["width"]) for piece in pieces] == [
        2.0 * UNIT,
        0.25 * UNIT,
        1.5 * UNIT,
    ]
