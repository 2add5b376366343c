"""One run's part of the HTML report: verdict, plot, findings, drops, and folded away what is only looked up."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Evidence, Finding, Severity
from logdoctor.report import content, morning
from logdoctor.report.escape import plain, verbatim
from logdoctor.report.html_elements import Html, code, element, folded, joined, marked, name, table, text
from logdoctor.report.html_plot import plot
from logdoctor.report.summary import judged, needs_you, nothing_found, short_name, short_place, told_first
from logdoctor.run import Run

WORDS: dict[int, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info", 0: "fine"}
SIGNS = {"error": "✕", "warning": "!", "info": "i", "fine": "✓", "crashed": "!", "unjudged": "?"}
BADGES = 3


def standing(diagnosis: Diagnosis) -> str:
    """How a run stands in one word, a key of `SIGNS`: its worst finding, a crash, or that none could judge."""
    if diagnosis.failed and diagnosis.worst < Severity.WARNING:
        return "crashed"
    return WORDS[diagnosis.worst] if judged(diagnosis) else "unjudged"


def sign(diagnosis: Diagnosis) -> Html:
    """The standing as a sign, with its word for those who cannot see it."""
    word = standing(diagnosis)
    return element("span", SIGNS[word], class_=f"sign {word}", title=word, role="img", aria_label=word)


def badges(diagnosis: Diagnosis) -> Html:
    """The findings that matter as badges with their places, worst first."""
    told = told_first(diagnosis)
    shown = [_badge(finding, diagnosis.run) for finding in told[:BADGES]]
    if len(told) > BADGES:
        shown.append(element("span", f"{len(told) - BADGES} more", class_="place"))
    if diagnosis.failed:
        shown.append(element("span", "analyzer crashed", class_="badge error"))
    if diagnosis.state in ("running", "stalled"):
        shown.append(element("span", diagnosis.state, class_="badge state"))
    return joined(shown, " ") if told or diagnosis.failed else joined([nothing_found(diagnosis), *shown], " ")


def _badge(finding: Finding, run: Run) -> Html:
    badge = element("span", short_name(finding), class_=f"badge {finding.severity.word}")
    where = short_place(finding, run)
    return element("span", badge, element("span", where, class_="place") if where else "", class_="told")


def section(anchor: str, diagnosis: Diagnosis, *, columns: int, unfolded: bool) -> Html:
    """The whole section, folded under its heading; `columns`: the plot's detail, 0 for none."""
    heading = element("h2", sign(diagnosis), " ", element("span", name(diagnosis.run.name), class_="name"))
    summary = element("summary", heading, element("span", badges(diagnosis), class_="badges"))
    verdict, also = content.sentence(diagnosis)
    body = [
        element("p", element("strong", verdict), f" {also}" if also else "", class_="verdict"),
        element(
            "p", joined([marked(fact) for fact in content.facts(diagnosis, content.ticked)], " · "), class_="facts"
        ),
        _morning(diagnosis),
        _last_lines(diagnosis),
        _picture(diagnosis, columns),
        _findings(diagnosis.findings),
        _drops(diagnosis),
        _reading(diagnosis.run),
        _not_examined(diagnosis),
        folded("Measures and configuration", _looked_up(diagnosis), class_="more"),
    ]
    inside = element("div", *body, class_="body")
    found = search_words(diagnosis)
    return element("details", summary, inside, id=anchor, class_=f"run {standing(diagnosis)}", open=unfolded,
                   data_words=found)  # fmt: skip


def search_words(diagnosis: Diagnosis) -> str:
    """What the filter box looks through."""
    run = diagnosis.run
    needs = "is:urgent" if needs_you(diagnosis) else ""
    names = [finding.analyzer for finding in diagnosis.findings]
    return plain(
        " ".join([run.name, f"is:{standing(diagnosis)}", needs, diagnosis.state, *names, *run.formats])
    ).lower()


def _picture(diagnosis: Diagnosis, columns: int) -> Html:
    """The plot; a drawing that fails costs only itself."""
    if not columns:
        return Html()
    try:
        return plot(diagnosis, columns)
    except Exception as error:
        return element("p", f"The plot could not be drawn: {type(error).__name__}: {error}", class_="note")


def _findings(findings: Sequence[Finding]) -> Html:
    """Each finding with evidence and advice; the first one's message is the section's verdict already."""
    items = [_finding(finding, told=index == 0) for index, finding in enumerate(findings)]
    return element("ul", *items, class_="findings") if items else Html()


def _finding(finding: Finding, *, told: bool) -> Html:
    badge = element("span", finding.analyzer, class_=f"badge {finding.severity.word}")
    lines = [element("p", badge, " ", element("span", content.how_sure(finding), class_="place"))]
    lines += [] if told else [element("p", text(finding.message), class_="message")]
    entries = [(label, marked(said)) for label, said in content.steps(finding.advice)]
    entries += [("Evidence", _places(finding.evidence))] if finding.evidence else []
    if finding.would_change:
        label, said = content.what_would_change(finding)
        entries.append(("Would change it" if label else "How sure", marked(said)))
    listed = [part for label, said in entries for part in (element("dt", label), element("dd", said))]
    return element("li", *lines, element("dl", *listed) if listed else "", class_=finding.severity.word)


def _places(evidence: Sequence[Evidence]) -> Html:
    shown = [
        joined([code(str(place)), code(place.text, 120)] if place.text else [code(str(place))], " ")
        for place in evidence[: content.SHOWN_EVIDENCE]
    ]
    more = len(evidence) - content.SHOWN_EVIDENCE
    return joined([joined(shown, ", "), f" and {more} more" if more > 0 else ""])


def _morning(diagnosis: Diagnosis) -> Html:
    """Progress, and what to go on from."""
    items = [element("li", marked(line)) for line in morning.told(diagnosis)]
    return element("ul", *items, class_="morning") if items else Html()


def _last_lines(diagnosis: Diagnosis) -> Html:
    said, lines = morning.how_it_ended(diagnosis)
    if not lines:
        return Html()
    ends = element("p", f"{said} ", code(morning.where_it_ended(diagnosis)), ":")
    shown = element("pre", Html("\n".join(escape(verbatim(line, 200)) for line in lines)), tabindex=0)
    return joined([ends, shown])


def _drops(diagnosis: Diagnosis) -> Html:
    drops, axis = diagnosis.schedule.drops, diagnosis.run.axis
    if not drops:
        return Html()
    rows = table(content.drop_columns(axis), [content.drop_cells(drop, axis) for drop in drops], class_="drops")
    count = f"{len(drops)} learning-rate drop{'s' * (len(drops) > 1)}"
    few = len(drops) <= content.SHOWN_DROPS
    return folded(count, rows, class_="more", open=few)


def _reading(run: Run) -> Html:
    """What could not be read, and what stitching kept and dropped."""
    notes = [
        joined([code(content.where(problem.source, problem.line)), ": ", marked(problem.message, 300)])
        for problem in run.problems
    ]
    notes += [marked(receipt) for receipt in run.receipts]
    if not notes:
        return Html()
    items = [element("li", note) for note in notes]
    few, rest = items[: content.SHOWN_READING], items[content.SHOWN_READING :]
    shown = element("ul", *few, class_="notes")
    more = folded(f"{len(rest)} more", element("ul", *rest, class_="notes") if rest else "")
    return joined([element("h3", "Reading the log"), shown, more])


def _not_examined(diagnosis: Diagnosis) -> Html:
    """Analyzers that crashed, and those that could not judge, by reason."""
    crashed = [
        element("p", element("strong", failed.analyzer), " crashed: ", code(failed.error, 300), class_="note")
        for failed in diagnosis.failed
    ]
    reasons = [f"{', '.join(names)} ({reason})" for reason, names in content.not_examined(diagnosis.skipped)]
    skipped = element("p", f"Not examined: {'; '.join(reasons)}.", class_="quiet") if reasons else ""
    return joined([*crashed, skipped])


def _looked_up(diagnosis: Diagnosis) -> Html:
    """Measures, facts with their lines, files, and the schedule as configuration."""
    run = diagnosis.run
    measured = content.measures(diagnosis)
    stated = [[code(cell) for cell in cells] for cells in content.stated(run)]
    files = [[code(path), *cells] for path, *cells in content.files(run)]
    config = [[name, code(line)] for name, line in diagnosis.schedule.config.items()]
    return joined([
        table(("measure", "value"), measured) if measured else "",
        table(content.FACT_COLUMNS, stated, left=3) if stated else "",
        table(content.FILE_COLUMNS, files, left=2) if files else "",
        table(("framework", "the schedule as configuration"), config, left=2) if config else "",
    ])  # fmt: skip
