"""Several processes say what one says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logdoctor.judging import examine
from logdoctor.options import Options
from logdoctor.report.json_report import dumps
from logdoctor.workers import PER_WORKER, spread, workers_for


def test_processes_are_started_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert [workers_for(count, None) for count in (0, 1, PER_WORKER, 3 * PER_WORKER)] == [1, 1, 1, 3]
    assert workers_for(100 * PER_WORKER, None) == 8
    assert [workers_for(count, 4) for count in (0, 2, 20)] == [1, 2, 4]


def test_results_come_in_order() -> None:
    assert list(spread(abs, range(-20, 0), abs, 2)) == list(range(20, 0, -1))


def test_what_cannot_be_sent_is_done_here() -> None:
    assert list(spread(lambda number: number + 1, range(20), abs, 2)) == list(range(1, 21))


def test_a_program_ends_after_items_that_cannot_be_sent() -> None:
    program = "from logdoctor.workers import spread; print(sum(spread(lambda number: number, range(60), abs, 2)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1770\n"


def kills_its_process_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_is_killed_costs_its_own_part_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logdoctor.workers.AT_ONCE", 2)
    assert list(spread(kills_its_process_at_three, range(6), lambda number: -number, 2)) == [0, 1, 2, -3, 4, 5]


def test_two_processes_write_the_report_of_one(tmp_path: Path) -> None:
    for run in range(3):
        rows = "".join(f"{epoch},{2 / (epoch + 1 + run)},{2.5 / (epoch + 1)}\n" for epoch in range(30))
        (tmp_path / f"run{run}.csv").write_text(f"epoch,train_loss,val_loss\n{rows}")
    options = Options(now=1.7e9)
    alone, together = (examine([str(tmp_path)], options, jobs=jobs) for jobs in (1, 2))
    assert dumps(alone) == dumps(together)


def test_processes_end_with_the_one_that_started_them() -> None:
    """Also where that is killed and can end nothing itself: its output closes only when all of them have ended."""
    program = "from logdoctor.workers import spread; [print(n, flush=True) for n in spread(abs, iter(int, 1), abs, 2)]"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
