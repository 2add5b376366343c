"""`--html FILE`: the report as one page that needs no network and no server, and runs nothing from a log.

The page is whole without its script, which adds sorting, filtering and reading values off the plots. Its policy admits
the one style sheet and the one script written here, by their digests, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

import numpy as np

import logdoctor
from logdoctor.announce import Progress, silent
from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.report import content
from logdoctor.report.html_changes import changes_section
from logdoctor.report.html_comparison import comparison_section
from logdoctor.report.html_elements import Html, code, element, folded, joined, marked, name, text
from logdoctor.report.html_plot import points, sparkline
from logdoctor.report.html_section import SIGNS, WORDS, badges, search_words, section, sign, standing
from logdoctor.report.summary import Row, counts, headline, ignored, needs_you, row

COLUMNS = 400  # of pixels that curves are thinned to, while the page stays small
MOST_POINTS = 200_000  # about 8 MB
UNFOLDED = 12  # sections of runs that need somebody
SHOWN_UNREAD = 200
HEADER = (
    ("", "", "How the run stands"),
    ("run", "", "Run"),
    ("loss", "spark-cell", "Loss in little: train solid, validation lighter"),
    ("verdict", "", "Findings, worst first; ? is tentative"),
    ("best epoch", "number", "Where validation was best"),
    ("val at best", "number", "Validation loss (or main metric) there"),
    ("val now", "number", "The last one logged"),
    ("epochs per drop", "number late", "Median between drops of the learning rate"),
    ("epochs wasted", "number late", "Epochs in which the train loss was flat, or after the best validation"),
    ("last seen", "late", "How far the run came, and when that was logged"),
)


def to_html(report: Report, *, plots: bool = True, progress: Progress = silent) -> bytes:
    """The page, in UTF-8. Equal reports give equal bytes."""
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    page = element("html", _head(style), _body(report, plots, progress), element("script", Html(script)), lang="en")
    return f"<!doctype html>\n{page}\n".encode()


def _asset(name: str) -> str:
    return files("logdoctor.report").joinpath("assets", name).read_text("utf-8")


def _head(style: str) -> Html:
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(_asset('report.js'))}"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=f"{policy}; base-uri 'none'; form-action 'none'"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=f"logdoctor {logdoctor.__version__}"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Training report"),
        element("style", Html(style)),
    )


def _digest(inline: str) -> Html:
    """How a policy names an inline style sheet or script."""
    return Html(f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'")


def _body(report: Report, plots: bool, progress: Progress) -> Html:
    columns = columns_that_fit(report.runs) if plots else 0
    parts: list[str] = [_masthead(report)]
    if report.changes:
        parts.append(changes_section(report.changes))
    if report.side_by_side:
        parts.append(comparison_section(report.side_by_side, plots=plots))
    if report.runs:
        parts += [
            _tools(report),
            _runs_table(report.runs),
            element("div", *_sections(report, columns, progress), id="sections"),
        ]
    elif not report.older:
        parts.append(element("p", marked(content.nothing_read(report))))
    parts.append(_unread(report.unread))
    foot = element("footer", marked("`logdoctor explain NAME` says what a finding means and when it is wrong."),
                   f" Made by logdoctor {logdoctor.__version__}.")  # fmt: skip
    return element("body", element("main", *parts), foot)


def columns_that_fit(runs: Sequence[Diagnosis]) -> int:
    """Pixel columns for every plot such that a page of all of them stays below about 10 MB."""
    columns = COLUMNS
    while columns > 20 and sum(points(diagnosis, columns) for diagnosis in runs) > MOST_POINTS:
        columns = columns * 3 // 4
    return columns


def _masthead(report: Report) -> Html:
    unread = len(report.unread)
    files_not_read = element("a", f"{unread} file{'s' * (unread > 1)} not read", href="#unread") if unread else ""
    return element(
        "header",
        element("p", "Training report", class_="kicker"),
        element("h1", headline(report)),
        element("p", ignored(report), class_="quiet") if ignored(report) else "",
        element("p", files_not_read, class_="quiet") if unread else "",
    )


def _tools(report: Report) -> Html:
    """The filter box and what to click instead of typing: how runs stand, and the findings there are."""
    box = element(
        "input", id="filter", type="search", placeholder="Filter by name or finding  ( / )", autocomplete="off",
        spellcheck="false", aria_label="Filter runs by name or finding", aria_controls="runs sections",
    )  # fmt: skip
    shown = element("output", f"{len(report.runs)} runs", id="shown", for_="filter")
    unfold = element("button", "Unfold all", id="unfold", type="button")
    fold = element("button", "Fold all", id="fold", type="button")
    bar = element("div", box, shown, element("span", unfold, fold, class_="folding"), class_="tools")
    chips = element("div", *_chips(report), class_="chips", role="group", aria_label="Filters")
    return joined([bar, chips])


def _chips(report: Report) -> list[Html]:
    stands = [standing(diagnosis) for diagnosis in report.runs]
    chips = [_chip(f"is:{word}", word, stands.count(word), word) for word in SIGNS if word in stands]
    return chips + [_chip(found, found, count, WORDS[worst]) for found, count, worst in counts(report)]


def _chip(term: str, words: str, count: int, kind: str) -> Html:
    number = element("b", str(count))
    return element(
        "button", words, " ", number, type="button", class_=f"chip {kind}", data_term=term, aria_pressed="false"
    )


def _runs_table(runs: Sequence[Diagnosis]) -> Html:
    heads = [_heading(title, kind, told) for title, kind, told in HEADER]
    rows = [_runs_row(index, diagnosis) for index, diagnosis in enumerate(runs)]
    head = element("thead", element("tr", *heads))
    caption = element("caption", "Runs, worst first; a heading sorts", class_="hidden")
    return element("table", caption, head, element("tbody", *rows), id="runs")


def _heading(title: str, kind: str, told: str) -> Html:
    words = title or element("span", "standing", class_="hidden")
    button = element("button", words, type="button", title=told)
    return element("th", button, scope="col", class_=kind or None, aria_sort="none")


def _runs_row(index: int, diagnosis: Diagnosis) -> Html:
    line: Row = row(diagnosis)
    link = element("a", name(line.name), href=f"#{anchor(index)}", class_="name")
    cells = (
        (sign(diagnosis), -float(diagnosis.worst)), (link, None), (_spark(diagnosis), _last_train(diagnosis)),
        (badges(diagnosis), None), (line.best, diagnosis.measures.get("best_epoch")),
        (line.value_best, diagnosis.measures.get("best_value")), (line.value_now, _last_val(diagnosis)),
        (line.per_drop, diagnosis.schedule.per_drop), (line.wasted, diagnosis.measures.get("epochs_wasted")),
        (line.last_seen, _last_time(diagnosis)),
    )  # fmt: skip
    shown = [
        element("td", cell, class_=kind or None, data_value=_key(value))
        for (_, kind, _), (cell, value) in zip(HEADER, cells, strict=True)
    ]
    return element("tr", *shown, class_=standing(diagnosis), data_for=anchor(index), data_words=search_words(diagnosis))


def _spark(diagnosis: Diagnosis) -> Html:
    """The losses in little; a drawing that fails costs only itself."""
    try:
        return sparkline(diagnosis)
    except Exception as error:
        return element("span", "not drawn", class_="place", title=f"{type(error).__name__}: {error}")


def anchor(index: int) -> str:
    """The fragment of a run's section: never a name, which may hold anything."""
    return f"run-{index + 1}"


def _key(value: float | None) -> str | None:
    return None if value is None or not np.isfinite(value) else f"{value:.9g}"


def _last_train(diagnosis: Diagnosis) -> float | None:
    train = diagnosis.run.train
    return float(train.value[train.finite][-1]) if train is not None and train.finite.any() else None


def _last_val(diagnosis: Diagnosis) -> float | None:
    curve = diagnosis.run.val or diagnosis.run.val_metric
    return float(curve.value[curve.finite][-1]) if curve is not None and curve.finite.any() else None


def _last_time(diagnosis: Diagnosis) -> float:
    times = [float(np.nanmax(curve.wall_time)) for curve in diagnosis.run.curves if np.isfinite(curve.wall_time).any()]
    return max(times, default=diagnosis.run.end)


def _sections(report: Report, columns: int, progress: Progress) -> list[Html]:
    made: list[Html] = []
    open_left = UNFOLDED
    for index, diagnosis in enumerate(report.runs):
        progress(f"page: {diagnosis.run.name}")
        unfolded = open_left > 0 and (needs_you(diagnosis) or len(report.runs) == 1)
        open_left -= unfolded
        made.append(section(anchor(index), diagnosis, columns=columns, unfolded=unfolded))
    return made


def _unread(unread: Sequence[Unread]) -> Html:
    """Files that gave no run, by reason."""
    if not unread:
        return Html()
    groups = []
    for reason, paths in content.by_reason(unread):
        more = [element("li", f"and {len(paths) - SHOWN_UNREAD} more")] if len(paths) > SHOWN_UNREAD else []
        listed = [element("li", code(path)) for path in paths[:SHOWN_UNREAD]]
        title = joined([text(reason), element("b", f" {len(paths)}")])
        groups.append(
            folded(title, element("ul", *listed, *more, class_="notes"), class_="more", open=len(paths) <= 10)
        )
    return element("section", element("h2", "Files not read"), *groups, id="unread")
