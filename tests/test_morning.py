"""The morning after: crashed, stalled and running runs in several dialects, in every form of the report."""

from __future__ import annotations

import io
import os
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from logdoctor.diagnosis import Report
from logdoctor.judging import examine
from logdoctor.options import Options
from logdoctor.report.console import show
from logdoctor.report.html import to_html
from logdoctor.report.json_report import to_json
from logdoctor.report.markdown import to_markdown

NIGHT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC).timestamp()
OUT_OF_MEMORY = """Traceback (most recent call last):
  File "train.py", line 88, in <module>
    loss.backward()
torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB
wandb: api_key=0123456789abcdef0123
"""
NODE = "slurmstepd: error: *** JOB 71 ON gpu07 CANCELLED AT 2026-11-22T03:10:00 DUE TO NODE FAILURE ***\n"


def epochs(count: int, planned: int = 50, began: float = NIGHT) -> str:
    """A text log with one epoch a minute, best at epoch 12, with a checkpoint every five."""
    lines = []
    for epoch in range(1, count + 1):
        clock = f"{datetime.fromtimestamp(began + 60 * epoch, UTC):%Y-%m-%d %H:%M:%S}"
        val = 0.6 + 0.3 * abs(epoch - 12) / 12
        lines.append(f"{clock} Epoch [{epoch}/{planned}] train_loss: {2 / epoch:.4f} val_loss: {val:.4f}")
        lines += [f"{clock} Saved checkpoint to ckpt/epoch_{epoch}.pt"] if epoch % 5 == 0 else []
    return "\n".join(lines) + "\n"


def keras(count: int) -> str:
    lines = []
    for epoch in range(1, count + 1):
        lines += [f"Epoch {epoch}/50", f"Epoch {epoch:05d}: saving model to w{epoch}.h5"]
        lines.append(f"100/100 - 3s - loss: {2 / epoch:.4f} - val_loss: {0.6 + abs(epoch - 12) / 40:.4f}")
    return "\n".join(lines) + "\n"


def caffe(count: int) -> str:
    lines = ["I1121 22:00:00.000000 12 solver.cpp:60] Initializing solver from parameters:", "max_iter: 5000", ""]
    for step in range(0, count, 100):
        where = f"I1121 22:{step // 100:02d}:00.000000 12"
        if step and step % 500 == 0:
            lines.append(f"{where} solver.cpp:464] Snapshotting to binary proto file net_iter_{step}.caffemodel")
            state = f"net_iter_{step}.solverstate"
            lines.append(f"{where} sgd_solver.cpp:284] Snapshotting solver state to binary proto file {state}")
        lines.append(f"{where} solver.cpp:239] Iteration {step} (9 iter/s, 9s/100 iters), loss = {2 - step / 3000:.4f}")
    lines.append(
        "F1121 22:30:00.000000 12 math_functions.cu:79] Check failed: error == cudaSuccess (2 vs. 0) out of memory"
    )
    return "\n".join([*lines, "*** Check failure stack trace: ***", *["    @ 0x7f00 google::LogMessage"] * 30]) + "\n"


def examined(folder: Path, text: str, *, since: float = 8 * 3600, name: str = "train.log") -> Report:
    """The report on one log last written `since` seconds after the night began, read at 8 in the morning."""
    path = folder / name
    path.write_text(text)
    os.utime(path, (NIGHT + since, NIGHT + since))
    return examine([str(path)], Options(now=NIGHT + 10 * 3600))


def shown(report: Report) -> dict[str, str]:
    """What each form of the report says, without markup."""
    console = Console(file=io.StringIO(), width=200)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    html = unescape(re.sub(r"<script.*?</script>|<[^>]+>", "", to_html(report).decode(), flags=re.DOTALL))
    return {
        "markdown": to_markdown(report).replace("`", "").replace("\\", ""),
        "html": html,
        "terminal": console.file.getvalue(),
    }


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (epochs(17) + OUT_OF_MEMORY, [
            "It crashed at {}:24: torch.cuda.OutOfMemoryError: CUDA out of memory",
            "Restart from ckpt/epoch_15.pt, saved at epoch 15 ({}:18); 2 epochs lost.",
            "Nearest to the best, epoch 12: ckpt/epoch_10.pt, saved at epoch 10 ({}:12).",
        ]),
        (epochs(17) + NODE, [
            "It crashed at {}:21: slurmstepd: error", "Restart from ckpt/epoch_15.pt",
        ]),
        (epochs(16) + "run.sh: line 3: 1441 Killed   python train.py\n", ["It crashed at {}:20: run.sh: line 3: 1441 Killed"]),
        (keras(17) + OUT_OF_MEMORY, [
            "It crashed at {}:55: torch.cuda.OutOfMemoryError", "Restart from w17.h5, saved at epoch 17 ({}:50).",
            "Nearest to the best, epoch 12: w12.h5, saved at epoch 12 ({}:35).",
        ]),
        (caffe(2000), [
            "It crashed at {}:30: Check failed: error == cudaSuccess", "Restart from net_iter_1500.solverstate",
            "saved at step 1500 ({}:24); 400 steps lost.",
        ]),
        (epochs(17), ["The log simply ends at {}:20", "Restart from ckpt/epoch_15.pt"]),
    ],
    ids=["out-of-memory", "node-failure", "killed", "keras", "caffe", "silence"],
)  # fmt: skip
def test_how_it_ended_and_what_to_go_on_from(tmp_path: Path, log: str, said: list[str]) -> None:
    report = examined(tmp_path, log, since=-3 * 86_400)
    assert report.runs[0].state == "interrupted"
    assert all(c["line"] > 0 for c in to_json(report)["runs"][0].get("checkpoints", {}).values())
    place = str(tmp_path / "train.log")
    texts = shown(report)
    for sentence in said:
        wanted = sentence.format(place, place)
        assert wanted in texts["terminal"].replace("\n", "")
        for form in ("markdown", "html"):
            assert wanted.split(": ")[0] in texts[form], form


def test_the_last_lines_are_trimmed_and_masked(tmp_path: Path) -> None:
    text = to_markdown(examined(tmp_path, epochs(17) + OUT_OF_MEMORY + "\n\nsrun: waiting\n" * 30))
    block = text.split("```text\n")[1].split("\n```")[0].splitlines()
    assert block[-2] == "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    assert block[-1] == "wandb: api_key=***"
    assert "    loss.backward()" in block
    assert len(block) <= 12
    assert "0123456789abcdef" not in text


def test_a_run_that_goes_on_has_progress_and_an_expected_end(tmp_path: Path) -> None:
    report = examined(tmp_path, epochs(20, began=NIGHT + 10 * 3600 - 20 * 60), since=10 * 3600 - 5)
    (of,) = report.runs
    assert of.state == "running"
    assert "interrupted" not in [finding.analyzer for finding in of.findings]
    assert of.measures["progress"] == pytest.approx(0.4)
    end = of.measures["expected_end"]
    assert end is not None
    assert abs(end - (NIGHT + 10 * 3600 + 30 * 60)) < 60
    for form, said in shown(report).items():
        assert "Still running: 40 % done, until about 2026-11-22 08:30 UTC." in said, form
    assert "running (40 %)" in to_markdown(report)
    assert to_json(report)["runs"][0]["state"] == "running"


def test_a_log_silent_for_long_is_dead_by_its_own_rhythm(tmp_path: Path) -> None:
    report = examined(tmp_path, epochs(480, 900), since=8 * 3600)
    assert report.runs[0].state == "stalled"
    assert "Restart from ckpt/epoch_480.pt" in shown(report)["terminal"]


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        (OUT_OF_MEMORY, "interrupted: out of memory (epoch 17)"),
        (NODE, "interrupted: node failure (epoch 17)"),
        ("run.sh: line 3: 1441 Killed   python train.py\n", "interrupted: killed (epoch 17)"),
        ("Traceback (most recent call last):\nOSError: [Errno 28] No space left on device\n", "interrupted: disk full"),
        ("Traceback (most recent call last):\nValueError: bad label\n", "interrupted: crashed (epoch 17)"),
        ("Traceback (most recent call last):\nKeyboardInterrupt\n", "interrupted: by hand (epoch 17)"),
    ],
)
def test_the_table_says_why(tmp_path: Path, log: str, verdict: str) -> None:
    report = examined(tmp_path, epochs(17) + log, since=-3 * 86_400)
    assert verdict in to_markdown(report).splitlines()[8]
    assert verdict.split(" (")[0] in shown(report)["html"]


def test_a_run_that_was_started_again_needs_nobody(tmp_path: Path) -> None:
    report = examined(tmp_path, epochs(17) + epochs(50), since=-3 * 86_400)
    first = next(of for of in report.runs if of.run.name == "train")
    (found,) = (finding for finding in first.findings if finding.analyzer == "interrupted")
    assert found.severity.word == "info"
    assert "another run follows in the same file" in found.message
