"""What a Caffe log states beside its curves: parameters, epochs, times, how it ends; and tables made of such logs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logdoctor_parsers.caffe import PARSER
from logdoctor_parsers.caffe_table import PARSER as TABLE
from logdoctor_parsers.contract import LogFile, Match, ParsedLog

P = "I0621 17:36:52.042147  7797 "
RESTART = "Restarting data prefetching from start."
DONE = P + "solver.cpp:332] Optimization Done.\n"

HEAD = f"""{P}caffe.cpp:218] Using GPUs 0, 1
{P}solver.cpp:48] Initializing solver from parameters:\x20
test_iter: 8
base_lr: 0.01
max_iter: 2500
lr_policy: "multistep"
gamma: 0.1
momentum: 0.9
weight_decay: 0.002
solver_mode: GPU
average_loss: 20
stepvalue: 1000
stepvalue: 2000
iter_size: 4
type: "Nesterov"
{P}solver.cpp:102] Creating training net from net file: net.prototxt
{P}net.cpp:53] Initializing net from parameters:\x20
name: "Net"
state {{
  phase: TRAIN
}}
layer {{
  name: "data"
  type: "Data"
  include {{
    phase: TRAIN
  }}
  data_param {{ source: "train # not a comment" batch_size: 64 }}
}}
{P}image_data_layer.cpp:52] A total of 1297 images.
{P}solver.cpp:190] Creating test net (#0) specified by net file: net.prototxt
{P}net.cpp:53] Initializing net from parameters:\x20
state {{
  phase: TEST
}}
layer {{
  name: "data"
  data_param {{
    batch_size: 100
  }}
}}
{P}image_data_layer.cpp:52] A total of 500 images.
"""


def parse(text: str | bytes, name: str = "train.log") -> ParsedLog:
    content = text.encode() if isinstance(text, str) else text
    return PARSER.parse(LogFile(Path(name), name, content))


def facts(log: ParsedLog) -> dict[str, Any]:
    return {fact.name: fact.value for fact in log.facts}


def loss(step: int, stamp: str = "0621 17:36:52.042147") -> str:
    return f"I{stamp}  7797 solver.cpp:218] Iteration {step}, loss = 1.23456\n"


def test_parameters_with_their_lines() -> None:
    log = parse(HEAD + loss(0))
    assert {
        "base_lr": 0.01, "max_iter": 2500, "lr_policy": "multistep", "gamma": 0.1, "momentum": 0.9,
        "weight_decay": 0.002, "average_loss": 20, "stepvalue": [1000, 2000], "iter_size": 4, "optimizer": "Nesterov",
        "batch_size": 64, "test_batch_size": 100, "test_iter": 8, "devices": 2, "dataset_size": 1297, "test_size": 500,
        "framework": "Caffe",
    }.items() <= facts(log).items()  # fmt: skip
    lines = {fact.name: fact.line for fact in log.facts}
    text = HEAD.splitlines()
    for name in ("base_lr", "max_iter", "batch_size", "stepvalue", "iter_size"):
        assert name in text[lines[name] - 1]


@pytest.mark.parametrize(
    ("line", "optimizer"),
    [("", "SGD"), ('type: "Adam"', "Adam"), ("solver_type: ADAGRAD", "AdaGrad"), ("solver_type: NESTEROV", "Nesterov"),
     ('type: "RMSProp"', "RMSProp"), ('type: "AdaDelta"', "AdaDelta"), ('type: "MyOwn"', "MyOwn")],
)  # fmt: skip
def test_solver_names(line: str, optimizer: str) -> None:
    log = parse(f"{P}solver.cpp:48] Initializing solver from parameters: \nbase_lr: 1\n{line}\n")
    assert facts(log)["optimizer"] == optimizer


def test_no_solver_without_its_parameters() -> None:
    assert "optimizer" not in facts(parse(loss(0)))


@pytest.mark.parametrize(
    "layer",
    [
        "layers {\n  layer {\n    type: \"data\"\n    batchsize: 32\n  }\n}",
        "layers {\n  type: DATA\n  data_param {\n    batch_size: 32\n  }\n}",
        "layer {\n  type: \"Python\"\n  python_param {\n    param_str: \"{\\'batch_size\\': 32}\"\n  }\n}",
        "layer {\n  include {\n    phase: TRAIN\n  }\n  hdf5_data_param {\n    batch_size: 32\n  }\n}\n"
        "layer {\n  include {\n    phase: TEST\n  }\n  hdf5_data_param {\n    batch_size: 50\n  }\n}",
    ],
)  # fmt: skip
def test_batch_size_of_old_and_odd_nets(layer: str) -> None:
    log = parse(f"{P}net.cpp:53] Initializing net from parameters: \n{layer}\n{loss(0)}")
    assert facts(log)["batch_size"] == 32


def test_snapshots_and_what_a_run_started_from() -> None:
    log = parse(
        f"{P}caffe.cpp:155] Finetuning from vgg.caffemodel\n{P}caffe.cpp:202] Resuming from a_iter_500.solverstate\n"
        f"{P}solver.cpp:454] Snapshotting to binary proto file a_iter_1000.caffemodel\n"
        f"{P}sgd_solver.cpp:273] Snapshotting solver state to binary proto file a_iter_1000.solverstate\n"
    )
    assert facts(log)["finetuned_from"] == "vgg.caffemodel"
    assert facts(log)["resumed_from"] == "a_iter_500.solverstate"
    assert facts(log)["last_checkpoint"] == "a_iter_1000.caffemodel"


def test_what_py_faster_rcnn_prints() -> None:
    log = parse(
        "+ ITERS=70000\nNamespace(cfg_file='a.yml', gpu_id=0, max_iters=70000)\n           'IMS_PER_BATCH': 1,\n"
        f"10022 roidb entries\n{P}solver.cpp:48] Initializing solver from parameters: \nbase_lr: 0.001\n{loss(0)}"
        "speed: 0.091s / iter\nWrote snapshot to: /out/vgg16_iter_70000.caffemodel\ndone solving\n"
    )
    assert {"max_iter": 70000, "batch_size": 1, "dataset_size": 10022}.items() <= facts(log).items()
    assert log.ending.kind == "finished"


def test_test_before_training_is_told() -> None:
    test = f"{P}solver.cpp:330] Iteration 0, Testing net (#0)\n{P}solver.cpp:397]     Test net output #0: acc = 0.9\n"
    assert facts(parse(test + loss(0)))["test_at_start"] is True
    assert "test_at_start" not in facts(parse(loss(0) + test))


def passes(epoch: float, until: int = 400) -> str:
    """A log of one iteration a second, whose data thread starts over every `epoch` iterations, read three ahead."""
    lines, done = [], 1
    for step in range(until):
        clock = f"I0621 17:{step // 60:02d}:{step % 60:02d}"
        if step + 3 >= done * epoch:
            done += 1
            lines.append(f"{clock}.500000  11 data_layer.cpp:73] {RESTART}")
        if step % 50 == 0:
            lines.append(f"{clock}.000001  10 solver.cpp:330] Iteration {step}, Testing net (#0)")
            lines += [f"{clock}.000002  12 data_layer.cpp:73] {RESTART}"] * 3
            lines.append(f"{clock}.000003  10 solver.cpp:397]     Test net output #0: acc = 0.5")
        if step % 20 == 0:
            lines.append(f"{clock}.000004  10 solver.cpp:218] Iteration {step}, loss = 1")
    return "\n".join(lines) + "\n"


def test_epochs_from_the_passes_of_the_data_thread() -> None:
    assert facts(parse(passes(20.266)))["steps_per_epoch"] == pytest.approx(20.266, rel=0.01)
    assert facts(parse(passes(61.5)))["steps_per_epoch"] == pytest.approx(61.5, rel=0.01)


def test_too_few_passes_say_nothing() -> None:
    assert "steps_per_epoch" not in facts(parse(passes(130)))


def test_unsteady_passes_say_nothing() -> None:
    assert "steps_per_epoch" not in facts(parse(passes(20, until=200) + passes(35, until=400).replace("17:", "18:")))


def seconds(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[arg-type]


def first_and_last(log: ParsedLog) -> tuple[float, float]:
    return float(log.table.wall_time[0]), float(log.table.wall_time[-1])


def test_year_from_glogs_own_header() -> None:
    log = parse("Log file created at: 2015/07/03 17:51:03\n" + loss(0, "0703 17:51:04.500000"))
    assert first_and_last(log)[0] == seconds(2015, 7, 3, 17, 51, 4) + 0.5


def test_year_in_the_stamp_and_in_the_name() -> None:
    assert first_and_last(parse(loss(0, "20260703 17:51:04.500000")))[0] == seconds(2026, 7, 3, 17, 51, 4) + 0.5
    named = parse(loss(0, "0901 14:03:43.000000"), "caffe.host.user.log.INFO.20170901-140343.7345")
    assert first_and_last(named)[0] == seconds(2017, 9, 1, 14, 3, 43)


def test_new_year_and_leap_day() -> None:
    head = "Log file created at: 2015/12/31 23:59:00\n"
    log = parse(head + loss(0, "1231 23:59:59.000000") + loss(20, "0101 00:00:01.000000"))
    assert first_and_last(log) == (seconds(2015, 12, 31, 23, 59, 59), seconds(2016, 1, 1, 0, 0, 1))
    leap = parse(loss(0, "0228 12:00:00.000000") + loss(20, "0229 12:00:00.000000") + loss(40, "0301 12:00:00.000000"))
    assert (leap.table.wall_time[1:] - leap.table.wall_time[:-1]).tolist() == [86400, 86400]


def test_year_from_the_time_of_change(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(loss(0, "1231 23:00:00.000000") + loss(20, "0102 01:00:00.000000"))
    os.utime(path, (seconds(2019, 1, 2, 1, 30),) * 2)
    assert first_and_last(PARSER.parse(LogFile(path, path.name))) == (seconds(2018, 12, 31, 23), seconds(2019, 1, 2, 1))
    path.write_text(loss(0, "1224 12:00:00.000000"))
    os.utime(path, (seconds(2020, 3, 1),) * 2)
    assert first_and_last(PARSER.parse(LogFile(path, path.name)))[0] == seconds(2019, 12, 24, 12)


def test_damaged_stamp_has_no_time() -> None:
    head = "Log file created at: 2015/07/03 17:51:03\n"
    log = parse(head + loss(0, "0703 1x:51:04.500000") + loss(20, "0703 17:51:06.000000"))
    assert str(first_and_last(log)[0]) == "nan"
    assert first_and_last(log)[1] == seconds(2015, 7, 3, 17, 51, 6)


CRASH = "F0711 10:14:40.312108 20510 syncedmem.cpp:56] Check failed: error == cudaSuccess (2 vs. 0)  out of memory\n"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (loss(20) + DONE + DONE, "finished", "Optimization Done."),
        (loss(20) + P + "caffe.cpp:242] Optimization Done in 2h 8m 22s\n", "finished", "Done in 2h 8m 22s"),
        (loss(20) + P + "solver.cpp:519] Optimization stopped early.\n" + DONE, "stopped", "stopped early"),
        (loss(20) + CRASH + "*** Check failure stack trace: ***\n    @  0x7f main\n", "crashed", "out of memory"),
        (CRASH, "crashed", "Check failed"),
        (loss(20) + "*** Aborted at 1459572361 (unix time)\n*** SIGTERM (@0x3e8) received\n", "crashed", "SIGTERM"),
        (loss(20) + "./x.sh: line 57: 14412 Killed      ./tools/train_net.py --gpu 0\n", "crashed", "Killed"),
        (loss(20) + "Traceback (most recent call last):\n  File\nKeyboardInterrupt\n", "stopped", "KeyboardInterrupt"),
        (loss(20), "open", ""),
        (DONE + loss(20), "open", ""),
        (loss(20) + CRASH + HEAD + loss(20), "open", ""),
        (loss(20) + CRASH + loss(40), "crashed", "Check failed"),
        (loss(20) + P + "solver.cpp:2", "torn", "cut off"),
        (HEAD[: HEAD.index("type: \"Data\"") + 8], "torn", "cut off"),
        (loss(20) + "++ set +x", "open", ""),
        (loss(20) + DONE.rstrip(), "finished", "Optimization Done."),
        (loss(20) + "\0" * 500, "torn", "500 zero bytes"),
    ],
)  # fmt: skip
def test_endings(text: str, kind: str, message: str) -> None:
    ending = parse(text).ending
    assert ending.kind == kind
    assert message in ending.message
    assert (ending.line > 0) is (kind != "open")


@pytest.mark.parametrize(
    ("last", "kept"),
    [("lr = 0.01", True), ("lr = 0.0", False), ("loss = 1.23456", True), ("loss = 1.2", False), ("lo", False)],
)
def test_number_cut_at_the_end_of_the_file_is_left_out(last: str, kept: bool) -> None:
    log = parse(f"{P}sgd_solver.cpp:105] Iteration 0, lr = 0.01\n{loss(0)}{P}solver.cpp:218] Iteration 20, {last}")
    assert (20 in log.table.step) is kept
    assert (log.ending.kind == "torn") is not kept
    assert (log.unreadable == 1) is not kept
    assert log.lines == 3


def test_the_last_lines_are_kept_for_crash_reports() -> None:
    log = parse("".join(loss(20 * i) for i in range(30)) + CRASH)
    assert log.tail[-1] == CRASH.rstrip()
    assert 5 < len(log.tail) < 30


def table(text: str, name: str) -> ParsedLog:
    file = LogFile(Path(name), name, text.encode())
    assert TABLE.sniff(file) is Match.SURE
    return TABLE.parse(file)


def values(log: ParsedLog) -> dict[tuple[str, str, str], list[float]]:
    found: dict[tuple[str, str, str], list[float]] = {}
    for code, value in zip(log.table.code, log.table.value.tolist(), strict=True):
        one = log.table.series[code]
        found.setdefault((one.tag, one.metric, one.split), []).append(value)
    return found


def test_table_of_parse_log_sh() -> None:
    rows = "0      0.257595     81220.1  0.0005\n25     2.610502     nan  0.0005\n"
    log = table("#Iters Seconds TrainingLoss LearningRate\n" + rows, "a.log.train")
    found = values(log)
    assert found["LearningRate", "lr", ""] == [0.0005, 0.0005]
    assert found["TrainingLoss", "loss", "train"][0] == 81220.1
    assert sorted(set(log.table.step.tolist())) == [0, 25]
    tested = values(table("#Iters Seconds TestAccuracy TestLoss\n0 1.5 0.1 2.3\n", "a.log.test"))
    assert tested["TestAccuracy", "accuracy", "test"] == [0.1]
    assert tested["TestLoss", "loss", "test"] == [2.3]


def test_csv_of_parse_log_py() -> None:
    rows = "0.0,0.1,0.01,0.5,2.3\r\n20.0,0.9,0.01,0.6\r\n40.0,1.2,0.01,,1.1\r\n"
    log = table("NumIters,Seconds,LearningRate,accuracy,loss\r\n" + rows, "a.log.test")
    assert values(log)["loss", "loss", "test"] == [2.3, 1.1]
    assert values(log)["accuracy", "accuracy", "test"] == [0.5]
    assert [(problem.line, log.unreadable) for problem in log.problems] == [(3, 1)]


def test_other_tables_are_left_to_others() -> None:
    assert TABLE.sniff(LogFile(Path("a.csv"), "a.csv", b"epoch,loss\n0,1\n")) is Match.NO
