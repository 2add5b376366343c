"""What a notebook shows of a report or a run: plain HTML without scripts or style sheets, which notebooks take away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from logdoctor.compare import SideBySide
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.report import content, morning
from logdoctor.report.html_comparison import comparison_section
from logdoctor.report.html_elements import Html, code, element, folded, joined, marked, name
from logdoctor.report.html_section import SIGNS, standing
from logdoctor.report.pictures import has_course
from logdoctor.report.summary import headline, needs_you, row

COLUMNS = (
    "",
    "run",
    "verdict",
    "best epoch",
    "val at best",
    "val now",
    "epochs per drop",
    "epochs wasted",
    "last seen",
)
SHOWN_RUNS, FOLDED_RUNS = 30, 300
UNFOLDED = 10  # runs whose findings can be unfolded


def report_html(report: Report) -> str:
    """Headline, table, the curves of all runs side by side, and the findings of those that need somebody, folded."""
    if not report.runs:
        return joined([element("h3", headline(report)), element("p", marked(content.nothing_read(report)))])
    if len(report.runs) == 1:
        return run_html(report.runs[0])
    urgent = [diagnosis for diagnosis in report.runs if needs_you(diagnosis)]
    rest = report.runs[SHOWN_RUNS:FOLDED_RUNS]
    parts = [
        _comparison(report.side_by_side) if report.side_by_side else "",
        element("h3", headline(report)),
        _table(report.runs[:SHOWN_RUNS]),
        folded(f"{len(report.runs) - SHOWN_RUNS} more runs", _table(rest)) if rest else "",
        "" if report.side_by_side else _picture(lambda: _overview(report.runs)),
        *(folded(_summary(diagnosis), run_html(diagnosis, picture=False)) for diagnosis in urgent[:UNFOLDED]),
    ]
    return joined(parts)


def _comparison(side: SideBySide) -> Html:
    from logdoctor.report.comparison_plot import draw_comparison

    return joined([comparison_section(side, plots=False), _picture(lambda: draw_comparison(side))])


def run_html(diagnosis: Diagnosis, *, picture: bool = True) -> str:
    """Verdict, facts, what to go on from, the curves, findings and drops of one run."""
    verdict, also = content.sentence(diagnosis)
    drops = [content.drop_cells(drop, diagnosis.run.axis) for drop in diagnosis.schedule.drops]
    parts = [
        element("h4", name(diagnosis.run.name)) if picture else "",
        element("p", element("strong", verdict), f" {also}" if also else ""),
        element("p", joined([marked(fact) for fact in content.facts(diagnosis, content.ticked)], " · ")),
        element("ul", *(element("li", marked(said)) for said in morning.sentences(diagnosis))),
        _picture(lambda: _curves(diagnosis)) if picture else "",
        element("ul", *(_finding(diagnosis, at) for at in range(len(diagnosis.findings)))),
        _rows(content.drop_columns(diagnosis.run.axis), drops) if drops else "",
    ]
    return joined(part for part in parts if part != "<ul></ul>")


def _finding(diagnosis: Diagnosis, at: int) -> Html:
    """A finding with its evidence and advice; the first one's message is the verdict above."""
    finding = diagnosis.findings[at]
    lines = [element("b", finding.analyzer), f" ({content.how_sure(finding)})", f": {finding.message}" if at else ""]
    places = joined([code(str(place)) for place in finding.evidence[: content.SHOWN_EVIDENCE]], ", ")
    steps = [joined([f"{label}: ", marked(said)]) for label, said in content.steps(finding.advice)]
    told = [element("li", said) for said in (*steps, joined(["Evidence: ", places]) if places else "") if said]
    return element("li", *lines, element("ul", *told))


def _summary(diagnosis: Diagnosis) -> Html:
    return joined(
        [f"{SIGNS[standing(diagnosis)]} ", element("b", name(diagnosis.run.name)), f": {row(diagnosis).verdict}"]
    )


def _table(diagnoses: Sequence[Diagnosis]) -> Html:
    lines = [(SIGNS[standing(diagnosis)], row(diagnosis)) for diagnosis in diagnoses]
    return _rows(COLUMNS, [
        [sign, name(line.name), line.verdict, line.best, line.value_best, line.value_now, line.per_drop, line.wasted,
         line.last_seen] for sign, line in lines
    ])  # fmt: skip


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    head = element("tr", *(element("th", title) for title in header))
    body = [element("tr", *(element("td", cell) for cell in cells)) for cells in rows]
    return element("table", element("thead", head), element("tbody", *body))


def _overview(diagnoses: Sequence[Diagnosis]) -> bytes:
    from logdoctor.report.overview_plot import draw_overview

    return draw_overview(course) if (course := [each for each in diagnoses if has_course(each)]) else b""


def _curves(diagnosis: Diagnosis) -> bytes:
    from logdoctor.report.plots import draw

    return draw(diagnosis) if has_course(diagnosis) else b""


def _picture(draw: Callable[[], bytes]) -> Html:
    """A PNG inside the page; a drawing that fails costs only itself."""
    try:
        drawn = draw()
    except Exception as error:
        return element("p", f"The plot could not be drawn: {type(error).__name__}: {error}")
    if not drawn:
        return Html()
    return element("img", src=f"data:image/png;base64,{base64.b64encode(drawn).decode()}", alt="Curves", width=1000)
