"""The HTML report without a browser: whole, self-contained, escaped, small, and its values those of the log."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from logdoctor.compare import compare
from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Severity, Span
from logdoctor.report import html, html_section
from logdoctor.report.html import columns_that_fit, to_html
from logdoctor.report.html_elements import element, marked
from logdoctor.report.html_plot import plot, points
from logdoctor.report.html_scale import Scale
from logdoctor.report.numbers import tick_labels
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run
from tests.hostile import HARMLESS, PAYLOADS, report_of

VOID = {"img", "input", "meta", "wbr"}


class Page(HTMLParser):
    """Elements in order with their attributes, the text outside scripts, and whatever was closed wrongly."""

    def __init__(self, page: bytes | str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(page if isinstance(page, str) else page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not (self.open and self.open[-1] == "style"):
            self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        found = [attributes for name, attributes in self.elements if name == tag]
        return [
            attributes for attributes in found if all(attributes.get(key) == value for key, value in wanted.items())
        ]


def readings(page: Page) -> list[dict[str, Any]]:
    return [json.loads(script) for script in page.scripts if script.startswith("{")]


def overfit(name: str = "vgg") -> Report:
    val = curve(falling(start=2.1, end=0.6), tag="val_loss", split="val")
    rate = curve(np.repeat([0.1, 0.01], 20), tag="lr", metric="lr", split="")
    schedule = Schedule("step", "logged", drops=drops(20, timing=("late",)))
    bad = diagnosis(run(name, curve(falling(), tag="train_loss"), val, rate), finding(), schedule=schedule,
                    flat_spans=((30.0, 40.0),))  # fmt: skip
    return Report((bad, diagnosis(run("calm"))), (Unread("core.dump", "a binary file"),))


def test_the_page_asks_for_nothing_and_runs_only_its_own_script() -> None:
    page = Page(to_html(overfit()))
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(part.strip().split(" ", 1) for part in str(policy["content"]).split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    inline = {"script-src": page.scripts[-1], "style-src": style_of(to_html(overfit()))}
    for rule, content in inline.items():
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "srcset", "style", "action")}
    assert all(str(link["href"]).startswith("#") for link in page.all("a"))
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "embed", "base", "form")]
    assert not re.search(r"url\(|@import", inline["style-src"])


def style_of(page: bytes) -> str:
    found = re.search("<style>(.*?)</style>", page.decode(), re.DOTALL)
    assert found
    return found[1]


def test_every_element_is_closed_and_every_anchor_leads_somewhere() -> None:
    page = Page(to_html(overfit()))
    assert page.wrong == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(ids)


def test_the_answer_stands_first() -> None:
    page = Page(to_html(overfit()))
    assert page.text.index("2 runs: 1 with warnings.") < 80
    rows = [row for row in page.all("tr") if "data-for" in row]
    assert [row["class"] for row in rows] == ["warning", "fine"]
    assert [section.get("open") for section in page.all("details") if "data-words" in section] == [None, None]
    opened = [str(section["id"]) for section in page.all("details") if "data-words" in section and "open" in section]
    assert opened == ["run-1"]


def test_a_section_says_what_the_markdown_says() -> None:
    text = Page(to_html(overfit())).text
    finding_parts = ("Validation loss rose from 0.52 to 0.61", "runs/a.csv:21", "Stop at epoch 20, or add data.")
    for said in (*finding_parts, "×0.1 @20, late", "a binary file", "core.dump"):
        assert said in text


def test_hostile_text_changes_no_element() -> None:
    """The same report of harmless words has the same elements with the same attributes' names."""

    def shape(texts: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        page = Page(to_html(report_of(texts)))
        assert page.wrong == []
        return [(tag, sorted(attributes)) for tag, attributes in page.elements if tag not in ("wbr", "code")]

    plain = tuple(text for text in PAYLOADS if "`" not in text)
    assert shape(plain) == shape(HARMLESS[: len(plain)])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_shown_as_itself(payload: str) -> None:
    page = Page(to_html(report_of((payload,))))
    assert page.text.count(payload) >= 8
    assert readings(page)[0]["curves"][0]["name"].startswith("train: ")
    assert len(page.scripts) == 2


def test_values_to_read_off_are_those_of_the_log() -> None:
    values = falling(500, noise=0.05)
    drawn = plot(diagnosis(run("a", curve(values))), 400)
    (read,) = readings(Page(drawn))[0]["curves"]
    lines = np.cumsum(read["lines"])
    assert read["sources"] == [[0, "runs/a.csv"]]
    assert len(lines) == 500
    for at, value, line in zip(read["at"], read["values"], lines, strict=True):
        assert line == at + 1  # the factory numbers lines so
        assert value == pytest.approx(values[int(at) - 1], rel=1e-5)


def test_thinning_keeps_spikes_and_says_what_is_not_finite() -> None:
    values = falling(50_000, noise=0.01)
    values[31_234], values[40_000:40_100] = 7.5, np.nan
    drawn = plot(diagnosis(run("a", curve(values))), 100)
    (read,) = readings(Page(drawn))[0]["curves"]
    assert len(read["values"]) < 500
    assert 7.5 in read["values"]
    assert "NaN" in read["values"]
    assert "NaN/Inf from 40,001" in Page(drawn).text


def test_three_hundred_long_runs_stay_below_ten_megabytes() -> None:
    noisy = [curve(falling(20_000, noise=0.1), tag=tag, split=tag) for tag in ("train", "val")]
    rate = curve(np.linspace(0.1, 0.01, 20_000), tag="lr", metric="lr", split="")
    one = diagnosis(run("long", *noisy, rate), finding(), finding("plateau"))
    columns = columns_that_fit([one] * 300)
    assert points(one, columns) * 300 <= 200_000
    assert len(to_html(Report((one,) * 3))) > 3 * 40_000  # three have all the detail they want
    alone = len(plot(one, columns)) + len(html_section.section("run-1", one, columns=0, unfolded=False))
    assert 300 * alone < 10e6


def test_few_runs_keep_every_detail() -> None:
    assert columns_that_fit([diagnosis(run("a", curve(falling(100_000)))) for _ in range(20)]) == 400


def test_only_the_first_sections_that_need_somebody_are_unfolded() -> None:
    bad = tuple(diagnosis(run(f"bad{i}"), finding("divergence", Severity.ERROR)) for i in range(40))
    calm = tuple(diagnosis(run(f"calm{i}")) for i in range(40))
    sections = [one for one in Page(to_html(Report(bad + calm), plots=False)).all("details") if "data-words" in one]
    assert len(sections) == 80
    assert [int(str(one["id"])[4:]) for one in sections if "open" in one] == list(range(1, 13))


def test_rows_carry_what_they_are_sorted_by() -> None:
    page = to_html(overfit()).decode()
    first = page[page.index('data-for="run-1"') :].split("</tr>")[0]
    assert re.findall(r'<td class="number" data-value="([^"]+)"', first)[:2] == ["20", "0.52"]
    assert '<td class="number late">–</td>' in page[page.index('data-for="run-2"') :].split("</tr>")[0]


def test_without_plots_no_curve_is_drawn() -> None:
    assert Page(to_html(overfit(), plots=False)).all("figure") == []
    assert len(Page(to_html(overfit())).all("figure")) == 2


def test_a_drawing_that_fails_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("in <the> plot")

    monkeypatch.setattr(html_section, "plot", crash)
    monkeypatch.setattr(html, "sparkline", crash)
    text = Page(to_html(overfit())).text
    assert "The plot could not be drawn: ZeroDivisionError: in <the> plot" in text
    assert "Validation loss rose" in text


def test_equal_reports_give_equal_bytes() -> None:
    assert to_html(overfit()) == to_html(overfit())


@pytest.mark.parametrize("unread", [(), (Unread("x.bin", "not recognised"),)])
def test_an_empty_report_is_never_healthy(unread: tuple[Unread, ...]) -> None:
    page = Page(to_html(Report((), unread)))
    assert "No training run was found." in page.text
    assert "nothing is known to be well" in page.text
    assert page.wrong == []


EXTREMES = (
    [np.nan] * 5, [1.0], [2.0] * 30, [1e300, -1e300, 5.0], [1.7e308, -1.7e308], [np.inf, 1.0, -np.inf],
    [1e-320, 1.0, 1e10], [-3.0, -2.0, -1.0],
)  # fmt: skip


@pytest.mark.parametrize("values", EXTREMES)
def test_every_kind_of_curve_can_be_drawn(values: list[float]) -> None:
    page = Page(to_html(Report((diagnosis(run("a", curve(values)), finding()),))))
    assert "could not be drawn" not in page.text
    numbers = [shape["d"] or "" for shape in page.all("path")]
    assert not re.search("nan|inf", " ".join(numbers))


def test_a_metric_of_its_own_has_a_scale_of_its_own() -> None:
    accuracy = curve(np.linspace(0.1, 0.9, 40), tag="val_acc", metric="accuracy", split="val")
    of = replace(run("a", curve(falling()), accuracy), val=accuracy)
    page = Page(to_html(Report((diagnosis(of),))))
    assert page.all("figure", **{"class": "plot two-scales"})
    scales = [one["y"] for one in readings(page)[0]["curves"]]
    assert scales[0] != scales[1]
    assert "accuracy" in page.text


def test_ticks_are_round_and_told_apart() -> None:
    assert tick_labels(Scale(0.0, 1.0).ticks(6)) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert tick_labels(Scale(0.1, 50.0, True).ticks(6)) == ["0.1", "0.3", "1", "3", "10", "30"]
    assert tick_labels(Scale(1e-10, 1e14, True).ticks(6))[:2] == ["1e-8", "1e-4"]
    close = tick_labels(Scale(0.100012, 0.100019).ticks(6))
    assert len(close) == len(set(close)) == 4


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = element("b", "<i>", title='"&')
    assert element("p", inner, " & ") == '<p><b title="&quot;&amp;">&lt;i&gt;</b> &amp; </p>'
    assert marked("lower `lr` <1") == "lower <code>lr</code> &lt;1"
    assert marked("odd ` one") == "odd ` one"


def test_a_comparison_stands_above_the_runs_and_is_whole() -> None:
    runs = [
        diagnosis(run(name, curve(falling()), curve(falling(start=start, end=end), tag="val_loss", split="val")))
        for name, start, end in (("deep", 2.6, 0.2), ("shallow<b>", 2.0, 0.7))
    ]
    page = Page(to_html(compare(Report(tuple(runs)))))
    assert page.wrong == []
    assert page.open == []
    assert page.text.index("Comparison") < page.text.index("2 runs", page.text.index("Comparison"))
    assert "shallow<b>" in page.text
    assert [attributes["id"] for name, attributes in page.elements if name == "section"] == ["comparison"]


def test_without_plots_a_comparison_has_its_tables() -> None:
    runs = [diagnosis(run(name, curve(falling(end=end)))) for name, end in (("a", 0.2), ("b", 0.7))]
    text = to_html(compare(Report(tuple(runs))), plots=False).decode()
    assert "<figure" not in text
    assert "Best train loss so far" in text


def test_many_restarts_and_drops_do_not_flood_a_plot() -> None:
    schedule = Schedule("step", "logged", drops=drops(*range(1, 40)))
    drawn = Page(plot(diagnosis(run("a"), schedule=schedule), 100))
    labels = [attributes for name, attributes in drawn.elements if "drop-label" in str(attributes.get("class"))]
    assert len(labels) == 1
    assert "39 drops of the learning rate" in drawn.text


def test_a_gap_lifts_the_pen_and_a_spike_is_ringed() -> None:
    values = falling(200)
    values[150] = 5.0
    x = np.concatenate([np.arange(100.0), np.arange(900.0, 1000.0)])
    spike = finding("loss-spike", span=Span(950.0, 960.0, "epoch"), numbers={"peak": 5.0})
    drawn = Page(plot(diagnosis(run("a", curve(values, x=x)), spike), 400))
    paths = [str(attributes["d"]) for name, attributes in drawn.elements if name == "path"]
    assert [path.count("M") for path in paths] == [2, 2]
    assert any(attributes.get("class") == "spike" for _, attributes in drawn.elements)
