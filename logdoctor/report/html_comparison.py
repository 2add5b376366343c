"""The comparison on the page: who leads when, all runs in one plot to read values off, standings, seeds, schedules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.compare import Comparison, Entrant, SideBySide
from logdoctor.compare_words import interval
from logdoctor.curves.smoothing import smooth
from logdoctor.report import comparison_table as tables
from logdoctor.report.comparison import FOLDED_PAIRS, SHOWN_PAIRS
from logdoctor.report.escape import plain
from logdoctor.report.html_axes import x_axis, y_axis
from logdoctor.report.html_canvas import GAP, LOSS_HEIGHT, RATE_HEIGHT, down, percent, stretched, written
from logdoctor.report.html_curves import Panel, data_block, path, values
from logdoctor.report.html_elements import Html, code, element, folded, joined, marked, table
from logdoctor.report.html_scale import Scale
from logdoctor.report.scales import thin
from logdoctor.report.shown import CALM, LOG_RATES
from logdoctor.run import Curve, Floats

NAMED = 6  # runs with a colour and values to read off; those behind are grey and say their name when pointed at
COLUMNS = 400  # of pixels that curves are thinned to
TOP = 22  # pixels above the curves, for the crossing's label
Y_TICKS, RATE_TICKS = 6, 3
NAME_LETTERS = 60


def comparison_section(side: SideBySide, *, plots: bool = True) -> Html:
    """The whole comparison; a drawing that fails costs only itself."""
    rest = [c for c in side.comparisons if c not in side.main]
    what = f"{side.split or 'logged'} {side.metric}"
    notes = [element("li", marked(note)) for note in side.notes]
    return element(
        "section",
        element("h2", "Comparison"),
        _pairs(side.main[:SHOWN_PAIRS]),
        _picture(side) if plots else "",
        element("p", f"Best {what} so far, at equal places, best run first:"),
        _rows(tables.standings_header(side), tables.standings(side)),
        _seeds(side),
        _rows(*tables.settings(side)),
        element("ul", *notes, class_="notes") if notes else "",
        folded("More pairs", _pairs(side.main[SHOWN_PAIRS:][:FOLDED_PAIRS]), class_="more"),
        folded("Other curves", _pairs(rest[:FOLDED_PAIRS]), class_="more"),
        id="comparison",
    )


def _pairs(comparisons: Sequence[Comparison]) -> Html:
    items = [element("li", _badge(comparison), f"{comparison.message}.") for comparison in comparisons]
    return element("ul", *items, class_="pairs") if items else Html()


def _badge(comparison: Comparison) -> Html:
    if comparison.late_overtaker is None:
        return Html()
    ahead = comparison.late_overtaker == comparison.leader_end
    return joined([element("span", "late overtaker" if ahead else "catching up", class_="badge warning"), " "])


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    return table(header, [[code(name), *cells] for name, *cells in rows])


def _seeds(side: SideBySide) -> Html:
    if not side.seeds:
        return Html()
    header = ["setting", *tables.standings_header(side)[1:-2]]
    said = element("p", "Runs that differ in their seed, mean ± standard deviation:")
    return joined([said, _rows(header, [row[: len(header)] for row in tables.seed_rows(side)])])


def _picture(side: SideBySide) -> Html:
    try:
        return _plot(side)
    except Exception as error:
        return element("p", f"The plot could not be drawn: {type(error).__name__}: {error}", class_="note")


def _plot(side: SideBySide) -> Html:
    x = _x_scale(side.entrants)
    main = Panel(TOP, LOSS_HEIGHT, x, Scale.of(np.concatenate([entrant.curve.value for entrant in side.entrants])))
    rate = _rate_panel(side.entrants, main)
    bottom = rate.top + rate.height if rate else main.top + main.height
    drawn = [y_axis(main, f"{side.split} {side.metric}".strip(), Y_TICKS), *x_axis(tables.axis_word(side), x, bottom)]
    drawn += [y_axis(rate, "lr", RATE_TICKS)] if rate else []
    drawn += _crossing(side, main, bottom)
    lines = [line for at, entrant in _back_to_front(side) for line in _lines(entrant, at, main, side.unit)]
    drawn.append(_nested(main, lines))
    if rate:
        drawn.append(_nested(rate, [_line(e.lr, at, rate) for at, e in _back_to_front(side) if e.lr is not None]))
    label = "The curves of all runs. Left and right arrow keys read off the values."
    picture = element(
        "svg", *drawn, class_="curves", height=round(bottom + 40), role="img", tabindex=0, aria_label=label
    )
    return element("figure", _legend(side.entrants), picture, data_block(_readings(side, main, bottom)), class_="plot")


def _back_to_front(side: SideBySide) -> list[tuple[int, Entrant]]:
    """The best run last, so that it lies on top."""
    return list(enumerate(side.entrants))[::-1]


def _x_scale(entrants: Sequence[Entrant]) -> Scale:
    ends = [float(entrant.curve.x[-1]) for entrant in entrants]
    starts = [float(entrant.curve.x[0]) for entrant in entrants]
    low = 0.0 if 0 <= min(starts) < 0.2 * max(ends) else min(starts)
    margin = 0.01 * (max(ends) - low) or 0.5
    return Scale(low - margin, max(ends) + margin)


def _rate_panel(entrants: Sequence[Entrant], above: Panel) -> Panel | None:
    """A panel for the learning rates, if they change or differ between runs."""
    rates = [entrant.lr.value[entrant.lr.finite] for entrant in entrants if entrant.lr is not None]
    together = np.concatenate(rates) if rates else np.empty(0)
    if not len(together) or not np.ptp(together) > 1e-6 * np.abs(together).max():
        return None
    log = bool((together > 0).all() and together.max() / together.min() >= LOG_RATES)
    return Panel(above.top + above.height + GAP, RATE_HEIGHT, above.x, Scale.of(together, log=log))


def _kind(place: int) -> str:
    return f"c{place}" if place < NAMED else "others"


def _lines(entrant: Entrant, place: int, panel: Panel, unit: str) -> list[Html]:
    """Values as logged, faint, and the smooth curve over them; nothing is smoothed across a drop on the run's axis."""
    curve, diagnosis = entrant.curve, entrant.diagnosis
    breaks = [drop.at for drop in diagnosis.schedule.drops] if diagnosis.run.axis.unit == unit else []
    faint = [_path(curve.x, curve.value, place, panel, " raw")] if place < NAMED else []
    return [*faint, _path(curve.x, smooth(curve.x, curve.value, breaks, CALM), place, panel, "", entrant.label)]


def _line(curve: Curve, place: int, panel: Panel) -> Html:
    return _path(curve.x, curve.value, place, panel, " lr")


def _path(x: Floats, y: Floats, place: int, panel: Panel, kind: str, name: str = "") -> Html:
    finite = np.isfinite(y)
    told = [element("title", plain(name, NAME_LETTERS))] if name else []
    return element("path", *told, class_=f"{_kind(place)}{kind}", d=path(*thin(x[finite], y[finite], COLUMNS), panel))


def _nested(panel: Panel, paths: Sequence[Html]) -> Html:
    size = {"x": "0", "y": str(panel.top), "width": "100%", "height": str(panel.height)}
    return element("svg", *paths, class_="panel", **size, **stretched())


def _crossing(side: SideBySide, panel: Panel, bottom: float) -> list[Html]:
    """Where the lead of the first pair changes hands, or is about to, with its interval."""
    found = next((c.crossing or c.expected for c in side.main[:1]), None)
    if found is None:
        return []
    left, right = (100 * min(max(panel.x.place(edge), 0.0), 1.0) for edge in (found.low, found.high))
    size = {"x": f"{left:.2f}%", "width": f"{right - left:.2f}%", "y": str(panel.top), "height": str(panel.height)}
    band = element("rect", class_="crossing-band", **size)
    at = percent(panel.x, found.at)
    side_of = " to" if panel.x.place(found.at) > 0.7 else " from" if panel.x.place(found.at) < 0.3 else ""
    word = "" if side.main[0].crossing else "expected "
    said = f"{word}crossing at {interval(found, side.unit)}"
    return [band, down(at, panel.top, bottom, "crossing"), written(said, at, panel.top - 6, f"crossing-label{side_of}")]


def _legend(entrants: Sequence[Entrant]) -> Html:
    entries = [
        element("span", element("i", class_=f"line {_kind(place)}", aria_hidden="true"), plain(one.label, NAME_LETTERS))
        for place, one in enumerate(entrants[:NAMED])
    ]
    more = len(entrants) - NAMED
    if more > 0:
        entries.append(element("span", element("i", class_="line others", aria_hidden="true"), f"{more} more"))
    return element("figcaption", *entries, class_="legend")


def _readings(side: SideBySide, panel: Panel, bottom: float) -> dict[str, object]:
    curves = [
        values(entrant.curve, COLUMNS, name=plain(entrant.label, NAME_LETTERS), kind=_kind(place), panel=panel)
        for place, entrant in enumerate(side.entrants[:NAMED])
    ]
    unit = tables.axis_word(side)
    return {"unit": unit, "x": [panel.x.low, panel.x.high], "bottom": bottom, "curves": curves}
