"""The HTML report in headless Chromium: clicked through, read off, in light and dark, with a clean console.

Skipped without Chromium, its driver or selenium; LOGDOCTOR_DEMAND_BROWSER=1 makes that a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from logdoctor.compare import compare
from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Evidence, Severity
from logdoctor.report.html import to_html
from logdoctor.run import Checkpoint, Closing
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run
from tests.hostile import PAYLOADS, report_of

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1000",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        _cannot("no chromium and chromedriver on the path")
    try:
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        _cannot("selenium is not installed")
    options = ChromeOptions()
    options.binary_location = str(program)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def _cannot(reason: str) -> None:
    if os.environ.get("LOGDOCTOR_DEMAND_BROWSER") == "1":
        pytest.fail(f"{reason}, and LOGDOCTOR_DEMAND_BROWSER=1 demands this test")
    pytest.skip(reason)


class Opened:
    """A report opened in the browser."""

    def __init__(self, browser: Chrome, report: Report, folder: Path) -> None:
        path = folder / "report.html"
        path.write_bytes(to_html(report))
        self.browser = browser
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(path.as_uri())

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements("css selector", selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element("css selector", selector)

    def run(self, script: str, *arguments: object) -> Any:
        return self.browser.execute_script(script, *arguments)

    def names(self) -> list[str]:
        return [row.text for row in self.all("#runs tbody .name") if row.is_displayed()]

    def console(self) -> list[dict[str, Any]]:
        return list(self.browser.get_log("browser"))


def three_runs() -> Report:
    val = curve(falling(start=2.1, end=0.6), tag="val_loss", split="val")
    rate = curve(np.repeat([0.1, 0.01], 20), tag="lr", metric="lr", split="")
    schedule = Schedule("step", "logged", drops=drops(20, timing=("late",)))
    bad = diagnosis(run("vgg", curve(falling(), tag="train_loss"), val, rate), finding("divergence", Severity.ERROR),
                    schedule=schedule, measures={"best_epoch": 9.0, "best_value": 0.61})  # fmt: skip
    worse = diagnosis(run("alexnet", curve(falling())), finding("overfitting"), measures={"best_epoch": 30.0})
    return Report((bad, worse, diagnosis(run("resnet"), measures={})), (Unread("x.bin", "a binary file"),))


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Opened:
    return Opened(browser, three_runs(), tmp_path)


def test_it_opens_with_a_clean_console_and_loads_nothing(page: Opened) -> None:
    assert page.names() == ["vgg", "alexnet", "resnet"]
    assert page.console() == []
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    assert [one.get_attribute("id") for one in page.all("details.run[open]")] == ["run-1", "run-2"]


def test_a_heading_sorts_up_down_and_back_with_missing_values_last(page: Opened) -> None:
    heading = page.one("#runs th:nth-child(5) button")
    orders = []
    for _ in range(3):
        heading.click()
        orders.append((page.one("#runs th:nth-child(5)").get_attribute("aria-sort"), page.names()))
    assert orders == [
        ("ascending", ["vgg", "alexnet", "resnet"]),
        ("descending", ["alexnet", "vgg", "resnet"]),
        ("none", ["vgg", "alexnet", "resnet"]),
    ]
    page.one("#runs th:nth-child(2) button").send_keys("\ue007")  # Enter
    assert page.names() == ["alexnet", "resnet", "vgg"]
    assert page.console() == []


def test_the_filter_shows_runs_by_name_and_finding(page: Opened) -> None:
    box = page.one("#filter")
    box.send_keys("net")
    assert page.names() == ["alexnet", "resnet"]
    assert page.one("#shown").text == "2 of 3 runs"
    assert [one.get_attribute("id") for one in page.all("details.run") if one.is_displayed()] == ["run-2", "run-3"]
    box.clear()
    chip = page.one('.chip[data-term="divergence"]')
    chip.click()
    assert page.names() == ["vgg"]
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert page.names() == ["vgg", "alexnet", "resnet"]
    page.one("body").send_keys("/")
    assert page.browser.switch_to.active_element == page.one("#filter")


def test_a_name_in_the_table_unfolds_its_section(page: Opened) -> None:
    section = page.one("#run-3")
    assert not section.get_attribute("open")
    page.all("#runs tbody .name")[2].click()
    page.run("return new Promise(done => setTimeout(done, 50))")
    assert section.get_attribute("open")
    assert page.run("return arguments[0].getBoundingClientRect().top < innerHeight", section)
    page.one("#fold").click()
    assert page.all("details.run[open]") == []
    page.one("#unfold").click()
    assert len(page.all("details.run[open]")) == 3


def test_the_pointer_reads_off_a_value_and_where_it_stands(page: Opened) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    picture = page.one("#run-1 svg.curves")
    page.run("arguments[0].scrollIntoView({block: 'center'})", picture)
    ActionChains(page.browser).move_to_element(picture).perform()
    tip = page.one("#run-1 .tip")
    at, train, val, rate = [str(line.get_attribute("textContent")) for line in tip.find_elements("css selector", "p")]
    epoch = int(at.removeprefix("epoch "))
    assert 18 <= epoch <= 22
    assert train == f"train: train_loss{falling()[epoch - 1]:.6g}runs/a.csv:{epoch + 1}"
    assert val.startswith("val: val_loss")
    assert rate in ("lr0.1runs/a.csv:" + str(epoch + 1), "lr0.01runs/a.csv:" + str(epoch + 1))
    ActionChains(page.browser).move_to_element(page.one("h1")).perform()
    assert not tip.is_displayed()
    assert page.console() == []


def test_arrow_keys_read_off_values(page: Opened) -> None:
    picture = page.one("#run-1 svg.curves")
    picture.send_keys("\ue012")  # left: the first value
    tip = page.one("#run-1 .tip")
    assert tip.text.splitlines()[0] == "epoch 1"
    picture.send_keys("\ue014\ue014")  # right, twice
    assert tip.text.splitlines()[0] == "epoch 3"
    picture.send_keys("\ue010")  # End
    assert tip.text.splitlines()[0] == "epoch 40"
    picture.send_keys("\ue00c")  # Escape
    assert not tip.is_displayed()


def test_light_and_dark_follow_the_reader(page: Opened) -> None:
    papers = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        papers.append(page.run("return getComputedStyle(document.body).backgroundColor"))
    light, dark = ([int(part) for part in paper[4:-1].split(",")] for paper in papers)
    assert min(light) > 200
    assert max(dark) < 60


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_overflows_sideways(browser: Chrome, tmp_path: Path, width: int) -> None:
    long = diagnosis(
        run("a/" + "very_long_name" * 12, curve(falling())), *(finding(name) for name in ("plateau", "late-drop"))
    )
    page = Opened(browser, Report((*three_runs().runs, long)), tmp_path)
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        assert page.run("return document.scrollingElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_hostile_names_are_text_and_nothing_else(browser: Chrome, tmp_path: Path) -> None:
    page = Opened(browser, report_of(PAYLOADS), tmp_path)
    page.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    for picture in page.all("svg.curves"):
        picture.send_keys("\ue014")  # the tip writes names, too
    assert [name.text for name in page.all("#runs tbody .name")] == list(PAYLOADS)
    assert page.browser.title == "Training report"
    assert page.all("img, iframe, b b, u, main script:not([type='application/json'])") == []
    assert page.run("return [...document.links].every(link => link.protocol === 'file:' && link.hash)")
    assert page.run(
        "return [...document.querySelectorAll('*')].every(one => ![...one.attributes].some(a => /^on/.test(a.name)))"
    )
    assert page.console() == []


def test_the_policy_stops_what_is_not_ours(page: Opened) -> None:
    """The policy is in force: a script or an image that got in after all would do nothing."""
    page.run("""
        const script = document.createElement('script'); script.textContent = "document.title = 'taken'";
        const image = new Image(); image.src = 'https://example.invalid/x.png';
        document.body.append(script, image);""")
    assert page.browser.title == "Training report"
    refused = " ".join(entry["message"] for entry in page.console())
    assert "Content Security Policy" in refused
    assert "example.invalid" in refused


def test_three_hundred_runs_open_and_filter(browser: Chrome, tmp_path: Path) -> None:
    runs = [diagnosis(run(f"run{i}", curve(falling(200, seed=i, noise=0.05))), finding("divergence", Severity.ERROR))
            for i in range(300)]  # fmt: skip
    page = Opened(browser, Report(tuple(runs)), tmp_path)
    page.one("#filter").send_keys("run29")
    assert page.one("#shown").text == "11 of 300 runs"
    assert page.console() == []


def compared(count: int = 2, prefix: str = "net") -> Report:
    """Runs of which each ends lower and begins higher than the one before."""
    runs = []
    for i in range(count):
        val = curve(falling(start=2.0 + i / count, end=0.8 - 0.5 * i / count), tag="val_loss", split="val")
        rate = curve(np.full(40, 0.1 / (i + 1)), tag="lr", metric="lr", split="")
        runs.append(diagnosis(run(f"{prefix}{i}", curve(falling()), val, rate)))
    return compare(Report(tuple(runs)))


def test_a_comparison_is_read_off_with_a_clean_console(browser: Chrome, tmp_path: Path) -> None:
    page = Opened(browser, compared(), tmp_path)
    picture = page.one("#comparison svg.curves")
    picture.send_keys("\ue010")  # End
    tip = page.one("#comparison .tip").text
    assert tip.splitlines()[0] == "epoch 40"
    assert "net0" in tip
    assert "net1" in tip
    assert "runs/a.csv:41" in tip
    widths = [float(page.run("return arguments[0].getTotalLength()", line)) for line in page.all("#comparison path")]
    assert min(widths) > 0
    colours = {
        page.run("return getComputedStyle(arguments[0]).stroke", page.one(f"path.{kind}")) for kind in ("c0", "c1")
    }
    assert len(colours) == 2
    assert page.console() == []


def test_many_runs_compared_under_hostile_names(browser: Chrome, tmp_path: Path) -> None:
    page = Opened(browser, compared(30, prefix=PAYLOADS[0]), tmp_path)
    assert "24 more" in page.one("#comparison figcaption").text
    assert page.all("#comparison img, #comparison iframe") == []
    page.one("#comparison details summary").click()
    assert page.browser.title == "Training report"
    assert page.console() == []


def test_a_crash_shows_its_last_lines_and_what_to_restart_from(browser: Chrome, tmp_path: Path) -> None:
    closing = Closing("crashed", Evidence("a.log", 99), "out of memory", ("step 1", "  <b>CUDA</b> out of memory"))
    saved = (Checkpoint("ckpt/<i>35</i>.pt", "saved", Evidence("a.log", 90), 35.0),)
    of = diagnosis(
        run("a", curve(falling()), closing=closing, checkpoints=saved), finding("interrupted", Severity.ERROR),
        state="interrupted",
    )  # fmt: skip
    page = Opened(browser, Report((of,)), tmp_path)
    assert page.one("#run-1 pre").text == "step 1\n  <b>CUDA</b> out of memory"
    assert page.one("#run-1 .morning li").text == (
        "Restart from ckpt/<i>35</i>.pt, saved at epoch 35 (a.log:90); 5 epochs lost."
    )
    assert page.console() == []
