"""How measurements are shown; `make bench` shows that they can be made."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from bench.chart import UNIT_PIXELS, draw_chart
from bench.report import Row, render_report
from bench.testbed import BASELINE

BASELINE_ROW = Row("get", BASELINE, 300, {BASELINE: 1.0}, 1, 1, 5.0, 9.0, 2.0)
EDGE_ROW = replace(
    BASELINE_ROW,
    topology="forward-auth mode",
    multiples={"edge": 1.5, "gateway": 0.25, "tasks": 2.0},
)
SVG = "{http://www.w3.org/2000/svg}"


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def test_python_services_are_added_up_apart_from_the_edge() -> None:
    assert (EDGE_ROW.python, EDGE_ROW.total) == (2.25, 3.75)


def test_every_row_has_a_line_with_a_cell_for_each_process() -> None:
    lines = render_report([BASELINE_ROW, EDGE_ROW], []).splitlines()

    assert cells_of(lines[2])[1:5] == ["get", "baseline", "300 µs", ""]
    assert cells_of(lines[3])[3:8] == ["2.00", "0.25", "1.50", "2.25", "3.75"]


def test_a_bar_has_a_segment_for_each_process_as_long_as_its_share() -> None:
    chart = ET.fromstring(draw_chart([EDGE_ROW]))  # noqa: S314 - drawn here

    segments = chart.findall(f"{SVG}rect")[-3:]

    widths = [float(segment.attrib["width"]) for segment in segments]
    assert widths == [2.0 * UNIT_PIXELS, 0.25 * UNIT_PIXELS, 1.5 * UNIT_PIXELS]
