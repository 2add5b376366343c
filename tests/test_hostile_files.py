"""Hostile file systems and moments: odd files and names, full disks, two runs at once, Ctrl-C, files that change."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import logdoctor
from logdoctor import read
from logdoctor.cli import cli
from logdoctor.discover import discover
from logdoctor.reading import Read, read_file
from logdoctor.report import overview_plot, whole_files
from logdoctor.report.pictures import file_name
from logdoctor_parsers import PARSERS, LogFile
from logdoctor_parsers.unpack import open_regular
from tests.event_files import scalars, version

SAMPLES = Path(__file__).parents[1] / "sample_logs"
COMMAND = [sys.executable, "-m", "logdoctor.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(str(SAMPLES.parent / part) for part in ("", "parsers"))}


def table(rows: int = 30, scale: float = 1.0) -> bytes:
    return b"epoch,loss,val_loss\n" + b"".join(
        b"%d,%f,%f\n" % (n, scale / (n + 1), 1.1 * scale / (n + 1)) for n in range(rows)
    )


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def command(*arguments: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    run = {"capture_output": True, "text": True, "timeout": 120, "env": ENVIRONMENT, **options}
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, **run)  # type: ignore[call-overload, no-any-return]


# what is no file ------------------------------------------------------------------------------------------------------


def test_pipes_sockets_devices_and_links_are_named_and_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    Path("good.csv").write_bytes(table())
    os.mkfifo("pipe.log")
    Path("dangling.log").symlink_to("nowhere")
    Path("loop.log").symlink_to("loop.log")
    Path("here").symlink_to(".")
    Path("zero.log").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.log")
        report = logdoctor.diagnose(".")
    assert [run.run.name for run in report.runs] == ["good"]
    reasons = {Path(unread.path).name: unread.reason for unread in report.unread}
    assert reasons == {
        "pipe.log": "not a regular file but a named pipe",
        "socket.log": "not a regular file but a socket",
        "zero.log": "not a regular file but a device",
        "dangling.log": "a dangling link",
        "loop.log": "a link that leads back to itself",
        "here": "a link to a folder; links are not followed: give its target as a path",
    }


def test_a_pipe_put_in_a_files_place_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    os.mkfifo(path)
    with pytest.raises(OSError, match="no longer a regular file"):
        open_regular(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_folders_and_files_that_may_not_be_opened_are_named(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_bytes(table())
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "secret.csv").write_bytes(table())
    (tmp_path / "secret.csv").chmod(0)
    report = logdoctor.diagnose(str(tmp_path))
    assert len(report.runs) == 1
    assert [Path(unread.path).name for unread in report.unread] == ["closed", "secret.csv"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "good.csv").write_bytes(table())
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover([str(tmp_path)])
    assert [file.path.name for file in found.files] == ["good.csv"]
    assert [unread.reason for unread in found.unread] == ["folder cannot be opened: Permission denied"]


NAMES = [
    b"new\nline.csv", b"\xff\xfe.csv", "rtl\u202egnp.csv".encode(), b"esc\x1b[31m.csv", b"zero\xe2\x80\x8bwidth.csv",
    b"-o.csv", b"=cmd().csv", b"n" * 250 + b".csv", b" .csv", b"..csv", b"%s%n.csv", b"::error::x.csv", b"<script>.csv", b"|pipe`.csv",
    b"\x07bell.csv", "\u0301.csv".encode(), b"a'b\"c.csv", b"$(touch x);.csv",
]  # fmt: skip


@pytest.fixture
def odd_names(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(table(scale=1.0 + number))
    return folder


def test_names_with_any_bytes_are_read_reported_and_exported(odd_names: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = odd_names.parent
    monkeypatch.chdir(here)
    extra = ["--html", "p.html", "--junit", "j.xml", "--json", "r.json", "--github", "--no-plots"]
    done = invoke("report", "runs", "-o", "out", *extra)
    assert done.exit_code == 0, done.output
    assert not set("\x1b\x07\u202e\u200b") & set(done.output)
    report = json.loads((here / "r.json").read_text("utf-8"))
    assert len({run["name"] for run in report["runs"]}) == len(NAMES)
    assert sum(line.startswith("::error") for line in done.output.splitlines()) == sum(
        finding["severity"] == "error" for run in report["runs"] for finding in run["findings"]
    )
    assert {path.name for path in here.iterdir()} == {"runs", "out", "p.html", "j.xml", "r.json"}, "nothing outside"
    for ending in (".csv", ".parquet", ".jsonl"):
        assert invoke("export", "runs", "-o", f"all{ending}").exit_code == 0
    assert pd.read_csv(here / "all.csv")["run"].nunique() == len(NAMES)
    assert pd.read_parquet(here / "all.parquet")["run"].nunique() == len(NAMES)


def test_plots_have_plain_names_inside_their_folder() -> None:
    taken: set[str] = set()
    names = [file_name(os.fsdecode(name), taken) for name in (*NAMES, b"../../etc/passwd", b"/abs", b"CON", b"..", b"")]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][\w.-]{0,120}", name, re.ASCII) for name in names)


def test_names_that_are_no_text_show_their_bytes(odd_names: Path) -> None:
    names = {diagnosis.run.name for diagnosis in logdoctor.diagnose(str(odd_names)).runs}
    assert r"\xff\xfe" in names
    assert all(name.encode() for name in names)


def test_100000_files(tmp_path: Path) -> None:
    """So many where LOGDOCTOR_LONG_TESTS is set, as `.ci/run` does; else a fiftieth of them."""
    count = 100_000 if os.environ.get("LOGDOCTOR_LONG_TESTS") else 2_000
    for folder in range(count // 1000):
        (tmp_path / str(folder)).mkdir()
        for number in range(1000):
            (tmp_path / str(folder) / f"{number:03}.csv").touch()
    for number in range(20):
        (tmp_path / "0" / f"good{number}.csv").write_bytes(table(scale=1 + number))
    assert len(discover([str(tmp_path)]).files) == count + 20
    began = time.monotonic()
    report = logdoctor.diagnose(str(tmp_path))
    assert time.monotonic() - began < 120
    assert len(report.runs) == 20
    assert len(report.unread) == count
    assert report.to_markdown().count("\n") < 4000


# files that change while they are read --------------------------------------------------------------------------------


def test_a_file_that_grows_gives_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(table(100))
    stop = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as stream:
            for number in range(100, 20_000):
                if stop.is_set():
                    return
                stream.write(b"%d,%f,%f\n" % (number, 1 / (number + 1), 1 / (number + 1)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(6):
            found = read_file(LogFile(path, path.name), PARSERS)
            assert isinstance(found, Read)
            loss = found.log.table.value[found.log.table.code == 0]
            assert loss.tolist() == pytest.approx([1 / (n + 1) for n in range(len(loss))], abs=1e-6)
    finally:
        stop.set()
        writer.join()


def test_the_next_report_has_the_line_that_was_torn_in_this_one(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    lines = "".join(f"epoch {n} loss: {1 / n:.6f}\n" for n in range(1, 20))
    path.write_text(lines[:-4])
    assert len(logdoctor.load(str(path))) == 18
    path.write_text(lines)
    assert len(logdoctor.load(str(path))) == 19


def shrunk(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def replaced(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"\x00\xff" * 1000)


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [shrunk, replaced, gone])
@pytest.mark.parametrize("name", ["metrics.csv", "events.out.tfevents.1.host"])
def test_a_file_that_changes_between_recognition_and_reading(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    path = tmp_path / name
    events = version() + b"".join(scalars("loss", [1.0 / n for n in range(1, 50)]))
    path.write_bytes(events if "tfevents" in name else table())
    file = LogFile(path, path.name)
    assert file.head
    change(path)
    found = read_file(file, PARSERS)
    if isinstance(found, Read):
        assert len(found.log.table) < 60
    else:
        assert "bug" not in found.reason


# where the report goes ------------------------------------------------------------------------------------------------


def formerly(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.csv").write_bytes(table())
    return tmp_path


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_on_a_full_disk_each_file_is_the_former_or_the_new_one(
    runs: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    out = runs / "out"
    assert invoke("report", str(runs / "runs"), "-o", str(out)).exit_code == 0
    before = formerly(out)
    (runs / "runs" / "a.csv").write_bytes(table(60, scale=3.0))
    fdopen, written = os.fdopen, []

    def full(*arguments: object) -> object:
        written.append(1)
        if len(written) >= fails_at:
            os.close(arguments[0])  # type: ignore[arg-type]
            raise OSError(28, "No space left on device")
        return fdopen(*arguments)  # type: ignore[call-overload]

    monkeypatch.setattr(whole_files.os, "fdopen", full)
    done = invoke("report", str(runs / "runs"), "-o", str(out))
    monkeypatch.undo()
    if fails_at < 4:
        assert done.exit_code == 2
        assert "No space left on device" in done.output
        assert "give another folder with -o DIR" in done.output
    after = formerly(out)
    assert after.keys() == before.keys(), "no half file, no file left over"
    json.loads(after["report.json"])
    if fails_at == 1:
        assert after == before


def test_an_output_folder_that_cannot_be_written_is_a_sentence(runs: Path) -> None:
    (runs / "file").write_text("x")
    done = command("report", "runs", "-o", "file/out", cwd=runs)
    assert done.returncode == 2
    assert "give another folder with -o DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_output_is_a_sentence_and_the_former_report_survives(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = runs / "out"
    assert invoke("report", str(runs / "runs"), "-o", str(out)).exit_code == 0
    before = formerly(out)

    def refuse(**options: object) -> object:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(whole_files.tempfile, "mkstemp", refuse)  # for root, too, who may write where nobody else may
    done = invoke("report", str(runs / "runs"), "-o", str(out))
    monkeypatch.undo()
    assert done.exit_code == 2
    assert "Read-only file system" in done.output
    assert formerly(out) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_standard_output_that_is_full_is_a_sentence(runs: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = command(
            "report", "runs", "--json", "-", cwd=runs, capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(runs: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = command("report", "runs", cwd=runs, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 141
    assert not done.stderr
    assert (runs / "logdoctor-report/report.md").exists()


def test_two_runs_at_once_leave_one_whole_report(runs: Path) -> None:
    arguments = [*COMMAND, "report", str(SAMPLES / "csv"), "-o", "out", "-q"]
    both = [subprocess.Popen(arguments, cwd=runs, env=ENVIRONMENT, stderr=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    report = json.loads((runs / "out/report.json").read_text())
    for run in report["runs"]:
        for plot in run["plots"]:
            assert (runs / "out" / plot).read_bytes().startswith(b"\x89PNG")
    assert not list((runs / "out").rglob(".*"))


@pytest.mark.parametrize("seconds", [0.7, 1.8])
def test_ctrl_c_ends_with_130_and_no_half_file(runs: Path, seconds: float) -> None:
    shutil.copytree(SAMPLES / "caffe", runs / "more")
    arguments = [*COMMAND, "report", "runs", "more", "-o", "out", "--html", "page.html"]
    process = subprocess.Popen(
        arguments, cwd=runs, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT, 0), told  # a shell calls both 130
    assert "Traceback" not in told
    assert not [path for path in runs.rglob(".*") if path.is_file()]
    for path in runs.rglob("report.json"):
        json.loads(path.read_text())
    if (page := runs / "page.html").exists():
        assert page.read_text().endswith("</html>\n")


def test_sigterm_ends_the_processes_and_leaves_nothing(runs: Path) -> None:
    for number in range(40):
        (runs / "runs" / f"{number}.csv").write_bytes(table(30, scale=2.0 + number))
    scratch = runs / "scratch"
    scratch.mkdir()
    arguments = [*COMMAND, "report", "runs", "-o", "out", "--jobs", "2", "--plots", "all"]
    environment = {**ENVIRONMENT, "TMPDIR": str(scratch)}
    process = subprocess.Popen(arguments, cwd=runs, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)  # while the processes start, or judge
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)  # which also waits for every process that holds its stderr
    assert process.returncode == 143, told
    assert "Stopped" in told
    assert "Traceback" not in told
    assert not list(scratch.iterdir())
    assert not (runs / "out").exists()


def test_a_report_stopped_while_it_draws_leaves_the_former_one_whole(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        (runs / "runs" / f"{number}.csv").write_bytes(table(30, scale=2.0 + number))
    arguments = ["report", str(runs / "runs"), "-o", str(runs / "out"), "--plots", "all"]
    assert invoke(*arguments).exit_code == 0
    former = contents(runs / "out")
    assert len(former) > 8
    for number in range(8):
        (runs / "runs" / f"{number}.csv").write_bytes(table(40, scale=3.0 + number))
    with monkeypatch.context() as patch:
        patch.setattr(overview_plot, "draw_overview", pressed)
        assert invoke(*arguments).exit_code == 130
    assert contents(runs / "out") == former
    assert invoke(*arguments).exit_code == 0
    changed = contents(runs / "out")
    assert changed.keys() == former.keys()
    assert [name for name in former if former[name] == changed[name]] == ["plots/a.png"], (
        "of the run that did not change"
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pressed(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_while_reading_is_130(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_files", pressed)
    done = invoke("report", str(runs / "runs"), "-o", str(runs / "out"))
    assert done.exit_code == 130
    assert "Stopped" in done.output


# nothing is overwritten but our own -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_export_overwrites_exports_only(runs: Path, ending: str) -> None:
    target = runs / f"all.{ending}"
    target.write_bytes(b"mine")
    done = invoke("export", str(runs / "runs"), "-o", str(target))
    assert done.exit_code == 2
    assert "is not overwritten" in done.output
    assert target.read_bytes() == b"mine"
    target.unlink()
    for _ in range(2):
        assert invoke("export", str(runs / "runs"), "-o", str(target)).exit_code == 0
    assert sorted(path.name for path in runs.iterdir()) == [target.name, "runs"]


def test_an_export_beside_the_logs_is_no_log(runs: Path) -> None:
    for ending in ("csv", "jsonl"):
        assert invoke("export", str(runs / "runs"), "-o", str(runs / f"runs/all.{ending}")).exit_code == 0
    assert [d.run.name for d in logdoctor.diagnose(str(runs / "runs")).runs] == ["a"]


def test_standard_input_without_end_is_refused(runs: Path) -> None:
    (runs / "logdoctor.toml").write_text("max_gigabytes = 0.001\n")
    with Path("/dev/zero").open("rb") as endless:
        done = command("report", "-", cwd=runs, stdin=endless)
    assert done.returncode == 2
    assert "raise max_gigabytes" in done.stderr


@pytest.mark.parametrize("name", ["report.json", "logdoctor.toml"])
def test_a_pipe_named_like_a_file_of_ours_is_not_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table())
    os.mkfifo(tmp_path / name)
    done = command("report", ".", "-o", "out", "--no-plots", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_link_in_the_place_of_the_plots_leads_nowhere(tmp_path: Path) -> None:
    log, out, other = tmp_path / "a.csv", tmp_path / "out", tmp_path / "other"
    log.write_bytes(table())
    other.mkdir()
    (other / "a.png").write_text("precious")
    assert invoke("report", str(log), "-o", str(out), "--no-plots").exit_code == 0
    (out / "plots").symlink_to(other)
    done = invoke("report", str(log), "-o", str(out))
    assert done.exit_code == 2
    assert "is a link" in done.output
    assert [path.read_text() for path in other.iterdir()] == ["precious"]


@pytest.mark.parametrize("content", ['{"logdoctor": "1", "runs": 5, "overview": ["x"], "comparison": 1}',
                                     '{"logdoctor": "1", "runs": [{"plots": [1, "..", ""]}, 7]}',
                                     '{"logdoctor": ' + "[" * 100_000])  # fmt: skip
def test_a_hostile_former_report_is_no_fault(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table())
    (tmp_path / "out" / "plots").mkdir(parents=True)
    (tmp_path / "out" / "report.json").write_text(content)
    done = invoke("report", str(tmp_path / "a.csv"), "-o", str(tmp_path / "out"), "--no-plots")
    assert done.exit_code == (2 if "[[[" in content else 0), done.output
    assert "fault of logdoctor" not in done.output
