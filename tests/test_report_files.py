"""Writing a report: whole files, safe names, and nothing overwritten that is not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logdoctor.diagnosis import Report
from logdoctor.errors import LogDoctorError
from logdoctor.report import files, pictures, plots
from logdoctor.report.files import write_report
from logdoctor.report.pictures import file_name
from tests.factories import curve, diagnosis, falling, finding, run


def report(*names: str) -> Report:
    return Report(tuple(diagnosis(run(name), finding()) for name in names or ("a",)))


def test_all_files_are_written_and_all_images_exist(tmp_path: Path) -> None:
    written = write_report(report("a", "b/c"), tmp_path / "out" / "deep")
    folder = tmp_path / "out" / "deep"
    document = json.loads((folder / "report.json").read_text("utf-8"))
    plots = [plot for of in document["runs"] for plot in of["plots"]]
    assert plots == [plot.as_posix() for of in written.runs for plot in of.plots]
    assert all((folder / plot).read_bytes().startswith(b"\x89PNG") for plot in plots)
    text = (folder / "report.md").read_text("utf-8")
    assert all(f"]({plot})" in text for plot in plots)
    assert sorted(path.name for path in folder.iterdir()) == ["plots", "report.json", "report.md"]


def test_without_plots(tmp_path: Path) -> None:
    written = write_report(report(), tmp_path, plots="none")
    assert written.runs[0].plots == ()
    assert not (tmp_path / "plots").exists()
    assert "![" not in (tmp_path / "report.md").read_text("utf-8")


def test_a_former_report_is_replaced_and_its_plots_removed(tmp_path: Path) -> None:
    write_report(report("old"), tmp_path)
    (tmp_path / "plots" / "mine.png").write_bytes(b"x")
    write_report(report("new"), tmp_path)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["mine.png", "new.png"]
    assert "old" not in (tmp_path / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.md", "my notes"), ("report.json", '{"a": 1}'), ("report.json", "[1]"), ("plots", None)],
)
def test_a_strangers_files_are_not_overwritten(tmp_path: Path, name: str, content: str | None) -> None:
    if content is None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_text("mine")
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(LogDoctorError, match=r"was not written by logdoctor.*-o DIR"):
        write_report(report(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_empty_files_are_nobodys(tmp_path: Path) -> None:
    (tmp_path / "report.md").touch()
    (tmp_path / "plots").mkdir()
    write_report(report(), tmp_path, plots="none")
    assert (tmp_path / "report.md").stat().st_size > 0


def test_an_interrupted_drawing_leaves_a_folder_the_next_report_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files, "draw_all", killed)
        with pytest.raises(KeyboardInterrupt):
            write_report(report(), tmp_path)
    write_report(report(), tmp_path)
    assert (tmp_path / "report.md").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LogDoctorError, match=r"cannot write the report to .*taken.*-o DIR"):
        write_report(report(), tmp_path / "taken")


def test_a_drawing_that_fails_costs_only_itself(tmp_path: Path) -> None:
    broken = run("broken", curve(falling()))
    object.__setattr__(broken.train, "value", "no array")
    good = diagnosis(run("good"))
    folder = tmp_path / "out"
    drawn = pictures._draw_one(diagnosis(broken), folder, "broken.png")
    assert [failed.analyzer for failed in drawn.failed] == ["plot"]
    assert write_report(Report((good,)), folder).runs[0].plots == (Path("plots/good.png"),)


def test_file_names_are_safe_and_unique() -> None:
    taken: set[str] = set()
    names = [
        "a",
        "A",
        "../../etc/passwd",
        "..",
        "",
        "a/b",
        "a_b",
        "x" * 300,
        "x" * 301,
        "é|?",
        "-rf",
        "con\n",
        "a\udcff",
    ]
    made = [file_name(name, taken) for name in names]
    assert made[0] == "a"
    assert len({name.casefold() for name in made}) == len(names)
    assert all(
        name.isascii() and "/" not in name and not name.startswith((".", "-")) and len(name) < 100 for name in made
    )


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_report(report("a", "b"), tmp_path / folder)
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_what_has_no_curve_is_not_drawn_and_every_drawing_is_told(tmp_path: Path) -> None:
    rate = run("rate only", curve([0.1] * 5, tag="lr", metric="lr", split=""))
    told: list[str] = []
    written = write_report(Report((diagnosis(rate), diagnosis(run("a")))), tmp_path, progress=told.append)
    assert [of.plots for of in written.runs] == [(), (Path("plots/a.png"),)]
    assert told == ["plot of a"]


def test_plots_only_where_they_tell_something(tmp_path: Path) -> None:
    healthy = [diagnosis(run(f"calm{i}")) for i in range(6)]
    short = diagnosis(run("short", curve([1.0, 0.5])), finding())
    written = write_report(Report((*report("bad").runs, short, *healthy)), tmp_path)
    assert [bool(of.plots) for of in written.runs] == [True, *[False] * 7]
    assert written.overview == Path("plots/overview.png")
    assert "](plots/overview.png)" in (tmp_path / "report.md").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["overview"] == "plots/overview.png"


def test_all_plots_lead_from_the_table_where_a_run_has_no_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "draw", lambda of, plot_format: b"<svg/>")
    healthy = tuple(diagnosis(run(f"calm{i}", curve([1.0, 0.5]))) for i in range(31))
    written = write_report(Report(healthy), tmp_path, plots="all", plot_format="svg")
    assert all(len(of.plots) == 1 for of in written.runs)
    assert "[`calm30`](plots/calm30.svg)" in (tmp_path / "report.md").read_text("utf-8")
    write_report(Report(healthy), tmp_path)
    assert list((tmp_path / "plots").iterdir()) == []


def test_another_format_replaces_the_former_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "draw", lambda of, plot_format: b"picture")
    runs = report(*"abcdef")
    write_report(runs, tmp_path)
    write_report(runs, tmp_path, plot_format="svg")
    names = {path.name for path in (tmp_path / "plots").iterdir()}
    assert names == {f"{name}.svg" for name in [*"abcdef", "overview"]}
