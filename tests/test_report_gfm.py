"""report.md as a Markdown viewer shows it: rendered by a parser of GitHub's dialect, judged by its elements."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from logdoctor.compare import compare
from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import Evidence, Failed, Severity, Skipped
from logdoctor.report.github import job_summary
from logdoctor.report.markdown import to_markdown
from logdoctor.run import Checkpoint, Closing, RunFact, RunProblem
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run
from tests.hostile import PAYLOADS, report_of
from tests.test_report_golden import crashed, stepwise

BLOCKS = {"p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "pre", "details", "summary", "h1", "h2"}
INLINE = {"code", "strong", "em", "a", "img", "hr", "br"}


class Rendered(HTMLParser):
    """What a viewer shows: elements in order, headings, rows of tables by number of cells, and paragraphs of text."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.headings: list[str] = []
        self.tables: list[list[int]] = []
        self.text: list[tuple[str, str]] = []
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag in ("h1", "h2"):
            self.headings.append("")
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in ("th", "td"):
            self.tables[-1][-1] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if any(tag in ("h1", "h2") for tag in self.open):
            self.headings[-1] += data
        if data.strip():
            self.text.append((self.open[-1] if self.open else "", data))

    @property
    def slugs(self) -> list[str]:
        """The anchors GitHub gives the headings; one that stands twice gets a number."""
        made: list[str] = []
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            made.append(slug if slug not in made else f"{slug}-{made.count(slug)}")
        return made

    def attributes(self, tag: str, name: str) -> list[str]:
        return [str(attributes[name]) for found, attributes in self.elements if found == tag and name in attributes]


def hostile(name: str) -> Diagnosis:
    """A run whose log puts the same text wherever text from a log is shown."""
    closing = Closing("crashed", Evidence(name, 9), name, (name, "```", "</details>", f"    {name}"))
    of = run(
        name, curve(falling(), tag=name), curve(falling(start=2.2), tag=name, split="val"), closing=closing,
        facts={name: RunFact(name, name, 3)}, problems=(RunProblem(name, 9, name),), receipts=(name,),
        checkpoints=(Checkpoint(name, name, Evidence(name, 7), 30.0), Checkpoint("", name, Evidence(name, 8), 31.0)),
    )  # fmt: skip
    said = finding("interrupted", Severity.ERROR, message=name, advice=f"{name}. {name}", would_change=name,
                   evidence=(Evidence(name, 1, name),))  # fmt: skip
    schedule = Schedule("step", "logged", drops=drops(20), config={"pytorch": name})
    return diagnosis(of, said, schedule=schedule, state="interrupted", skipped=(Skipped("x", name),),
                     failed=(Failed("y", name),), plots=(Path("plots/a b(1).png"),))  # fmt: skip


def many(bad: int = 120) -> Report:
    """Three hundred runs, of which `bad` need somebody and three have diverged."""
    worst = [diagnosis(run(f"worst{i}"), finding("divergence", Severity.ERROR)) for i in range(3)]
    urgent = [diagnosis(run(f"urgent{i}"), finding(), finding("plateau")) for i in range(bad)]
    return Report((*worst, *urgent, *(diagnosis(run(f"calm{i}")) for i in range(297 - bad))))


def reports() -> dict[str, Report]:
    golden = Report((crashed(), stepwise(), diagnosis(run("calm"))), (Unread("core.dump", "not recognised"),))
    pair = [diagnosis(run(name, curve(falling(end=end)))) for name, end in (("a|b", 0.2), ("`c`", 0.7))]
    return {
        "golden": golden,
        "hostile": report_of(PAYLOADS),
        "hostile everywhere": Report(tuple(hostile(name) for name in PAYLOADS), (Unread(PAYLOADS[0], PAYLOADS[1]),)),
        "overview": replace(golden, overview=Path("plots/overview.png")),
        "many": many(),
        "compared": compare(Report(tuple(pair))),
        "nothing": Report((), (Unread("x.bin", "not recognised"),)),
    }


@pytest.fixture(params=reports(), scope="module")
def page(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(to_markdown(reports()[request.param]))


def test_it_is_whole(page: Rendered) -> None:
    assert page.wrong == []
    assert page.open == []


def test_nothing_but_what_markdown_makes_and_folded_parts(page: Rendered) -> None:
    assert {tag for tag, _ in page.elements} <= BLOCKS | INLINE
    named = {name for _, attributes in page.elements for name in attributes}
    assert named <= {"href", "src", "alt", "class", "style", "title"}
    assert {style for _, attributes in page.elements if (style := attributes.get("style"))} <= {"text-align:right"}


def test_tables_are_whole(page: Rendered) -> None:
    for rows in page.tables:
        assert len(rows) > 1
        assert len(set(rows)) == 1
    stray = [text for tag, text in page.text if tag in ("p", "summary") and re.match(r"\|.*\||[|: -]*---", text)]
    assert stray == []


def test_every_link_leads_to_a_heading_or_a_file_of_the_report(page: Rendered) -> None:
    assert len(page.slugs) == len(set(page.slugs))
    for target in page.attributes("a", "href"):
        assert target.startswith("plots/") or target.removeprefix("#") in page.slugs, target
    assert all(source.startswith("plots/") for source in page.attributes("img", "src"))


def test_what_is_folded_away_stands_inside(page: Rendered) -> None:
    folds = [tag for tag, _ in page.elements if tag in ("details", "summary")]
    assert folds == ["details", "summary"] * (len(folds) // 2)


@pytest.mark.parametrize("most", [1_000_000, 40_000])
def test_the_job_summary_is_whole_too(most: int) -> None:
    page = Rendered(job_summary(many(), most))
    assert (page.wrong, page.open) == ([], [])
    assert all(len(set(rows)) == 1 for rows in page.tables)


def test_the_three_worst_of_three_hundred_stand_in_the_first_forty_lines() -> None:
    first = "\n".join(to_markdown(many()).splitlines()[:40])
    assert "300 runs: 3 with errors, 120 with warnings." in first
    assert all(f"[`worst{i}`](#{i + 1}-worst{i}) | ❌ divergence" in first for i in range(3))


def test_a_healthy_run_is_short() -> None:
    text = to_markdown(Report((diagnosis(run("calm")),)))
    shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert len(shown.split("## ")[1].splitlines()) < 10
