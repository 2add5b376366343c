"""Caffe logs: line shapes of every fork, series and their names, damaged means, several processes in one file."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor_parsers.caffe import PARSER
from logdoctor_parsers.caffe_scan import blocks, numbers
from logdoctor_parsers.contract import LogFile, Match, ParsedLog

P = "I0621 17:36:52.042147  7797 "
SOLVER = P + "solver.cpp:218] "
CLASSIC = "BVLC rc to rc3, or a fork of it"


def parse(text: str | bytes, name: str = "train.log") -> ParsedLog:
    content = text.encode() if isinstance(text, str) else text
    return PARSER.parse(LogFile(Path(name), name, content))


def series(log: ParsedLog, tag: str, split: str = "train") -> list[tuple[float, float]]:
    """(step, value) of one tag."""
    codes = [i for i, s in enumerate(log.table.series) if (s.tag, s.split) == (tag, split)]
    rows = np.isin(log.table.code, codes)
    return list(zip(log.table.step[rows].tolist(), log.table.value[rows].tolist(), strict=True))


def metrics(log: ParsedLog, split: str) -> dict[str, str]:
    """Tag → metric of the series that hold numbers."""
    present = set(log.table.code.tolist())
    return {s.tag: s.metric for i, s in enumerate(log.table.series) if i in present and s.split == split}


def iteration(step: int, loss: str, *outputs: str, lr: str = "0.01") -> str:
    lines = [f"{SOLVER}Iteration {step} (3.2 iter/s, 6.1s/20 iters), loss = {loss}"]
    lines += [f"{P}solver.cpp:237]     Train net output #{k}: {output}" for k, output in enumerate(outputs)]
    return "\n".join([*lines, f"{P}sgd_solver.cpp:105] Iteration {step}, lr = {lr}\n"])


def results(step: int, *outputs: str, net: int = 0) -> str:
    lines = [f"{P}solver.cpp:330] Iteration {step}, Testing net (#{net})"]
    lines += [f"{P}solver.cpp:397]     Test net output #{k}: {output}" for k, output in enumerate(outputs)]
    return "\n".join(lines) + "\n"


def solver(*parameters: str) -> str:
    return "\n".join([f"{P}solver.cpp:45] Initializing solver from parameters: ", *parameters]) + "\n"


def loss_of(value: float) -> str:
    return f"loss = {value:g} (* 1 = {value:g} loss)"


def test_smoothed_loss_is_the_loss_and_the_last_batch_has_a_metric_of_its_own() -> None:
    trained = iteration(0, "2.35", loss_of(2.31)) + iteration(20, "2.2", loss_of(2.1))
    log = parse(results(0, "accuracy = 0.1", loss_of(2.3)) + trained)
    assert series(log, "loss") == [(0, 2.35), (20, 2.2)]
    assert series(log, "Train net output #0: loss") == [(0, 2.31), (20, 2.1)]
    assert series(log, "loss", "test") == [(0, 2.3)]
    assert series(log, "accuracy", "test") == [(0, 0.1)]
    assert series(log, "lr", "") == [(0, 0.01), (20, 0.01)]
    assert metrics(log, "train") == {"loss": "loss", "Train net output #0: loss": "batch_loss"}
    assert log.table.line.tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert (log.lines, log.data, log.unreadable) == (9, 8, 0)


def test_last_iteration_has_no_outputs_and_borrows_none() -> None:
    last = SOLVER + "Iteration 40, loss = 2\n" + results(40, "accuracy = 0.5")
    log = parse(iteration(20, "2.2", loss_of(2.1)) + last)
    assert series(log, "loss") == [(20, 2.2), (40, 2.0)]
    assert series(log, "Train net output #0: loss") == [(20, 2.1)]
    assert series(log, "accuracy", "test") == [(40, 0.5)]


@pytest.mark.parametrize(
    ("line", "dialect"),
    [
        (P + "solver.cpp:87] Iteration 20, loss = 2.5", CLASSIC),
        (P + "solver.cpp:218] Iteration 20 (-1.8e-42 iter/s, 6.1s/20 iters), loss = 2.5", "BVLC rc4 or later"),
        (P + "solver.cpp:242] Iteration 20 (0 iter/s, 1.26s/20 iter), loss = 2.5", "NVCaffe"),
        (P + "solver.cpp:337] Iteration 20 (7.62135 s), loss = 2.5", CLASSIC),
        (P + "solver.cpp:376]     [0.0] Iteration 20 (9.1 iter/s, 2s/20 iter), 1.5/49.3ep, loss = 2.5", "NVCaffe 0.17"),
        ("[0] " + P + "solver.cpp:316] Iteration 20, loss = 2.5", "Intel Caffe, several nodes"),
        ("I20260621 17:36:52.042147 1234567890 solver.cpp:239] Iteration 20, loss = 2.5", CLASSIC),
        ("1508138445  INFO: caffe/solver.cpp : line 218 : Iteration 20, loss = 2.5", CLASSIC),
        ("Iteration 20, loss = 2.5", CLASSIC),
    ],
)  # fmt: skip
def test_train_lines_of_every_fork(line: str, dialect: str) -> None:
    log = parse(line + "\n")
    assert series(log, "loss") == [(20, 2.5)]
    assert log.dialect == dialect


@pytest.mark.parametrize("rest", ["lr = 1e-05", "lr = 1e-05, m = 0.9, wd = 0.0004, gs = 1", "lr = 1e-05\r"])
def test_learning_rate_lines(rest: str) -> None:
    assert series(parse(f"{P}sgd_solver.cpp:138] Iteration 40, {rest}\n"), "lr", "") == [(40, 1e-5)]
    assert series(parse(f"{P}solver.cpp:511] Iteration 40 (183.486/s), {rest}\n"), "lr", "") == [(40, 1e-5)]


def test_epochs_that_nvcaffe_prints() -> None:
    log = parse(f"{P}solver.cpp:376]     [0.0] Iteration 20 (9.1 iter/s, 2s/20 iter), 1.5/49.3ep, loss = 2.5\n")
    assert log.table.epoch.tolist() == [1.5]
    assert {fact.name: (fact.value, fact.line) for fact in log.facts}["epochs"] == (49.3, 1)


def test_caffe_of_early_2014() -> None:
    log = parse(
        P + "solver.cpp:57] Creating testing net.\n"
        + P + "net.cpp:168] This network produces output accuracy\n"
        + P + "net.cpp:168] This network produces output loss\n"
        + P + "solver.cpp:204] Iteration 200, lr = 0.01\n" + P + "solver.cpp:66] Iteration 200, loss = 6.55\n"
        + P + "solver.cpp:84] Iteration 200, Testing net\n"
        + P + "solver.cpp:111] Test score #0: 0.93\n" + P + "solver.cpp:111] Test score #1: 0.21\n"
    )  # fmt: skip
    assert series(log, "loss") == [(200, 6.55)]
    assert series(log, "Test score #0: accuracy", "test") == [(200, 0.93)]
    assert metrics(log, "test") == {"Test score #0: accuracy": "accuracy", "Test score #1: loss": "loss"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("nan", math.nan), ("-nan", math.nan), ("-nan(ind)", math.nan), ("1.#QNAN", math.nan), ("-1.#IND", math.nan),
     ("inf", math.inf), ("-1.#INF", -math.inf), ("1.4e+13", 1.4e13), ("-2147", -2147.0), ("87.3365", 87.3365)],
)  # fmt: skip
def test_values_as_printf_wrote_them(written: str, meant: float) -> None:
    log = parse(iteration(20, written, f"loss = {written} (* 1 = {written} loss)"))
    values = [series(log, tag)[0][1] for tag in ("loss", "Train net output #0: loss")]
    assert values == pytest.approx([meant, meant], nan_ok=True)
    assert log.unreadable == 0


def test_status_lines_are_no_data() -> None:
    log = parse(
        P + "sgd_solver.cpp:76] MultiStep Status: Iteration 810, step = 1\n"
        + P + "sgd_solver.cpp:80] Plateau Status: Iteration 820, current minimum_loss = 0.5\n"
        + P + "multibox_loss_layer.cpp:12] label classification loss18.3083\n"
        + P + "net.cpp:693] Ignoring source layer mbox_loss\n"
    )  # fmt: skip
    assert len(log.table) == 0
    assert log.unreadable == 0


def test_what_looks_like_data_and_cannot_be_read_is_told() -> None:
    garbled = SOLVER + "Iteration 20, loss = 0.2I0621 17:36:53.1\n"
    log = parse(garbled + SOLVER + "Iteration 40 (85.4 iter/s, 0.2\n" + iteration(60, "1", loss_of(1)))
    assert [problem.line for problem in log.problems] == [1, 2]
    assert log.unreadable == 2
    assert series(log, "loss") == [(60, 1)]


def test_only_one_rank_of_several_is_read() -> None:
    told = [f"solver.cpp:316] Iteration {step}, loss" for step in (0, 20)]
    log = parse("".join(f"[{rank}] {P}{message} = {rank + 1}\n" for message in told for rank in (1, 0)))
    assert series(log, "loss") == [(0, 1), (20, 1)]
    assert "rank 0" in log.problems[0].message


def test_outputs_of_several_heads() -> None:
    heads = ["loss1/loss1 = 1.8 (* 0.3 = 0.54 loss)", "loss1/top-1 = 0.3", "loss3/loss3 = 1.2 (* 1 = 1.2 loss)",
             "loss3/top-1 = 0.5", "loss3/top-5 = 0.8"]  # fmt: skip
    found = metrics(parse(iteration(0, "1.74", *heads[::2]) + results(0, *heads)), "test")
    assert found == {
        "loss1/loss1": "loss1/loss1",
        "loss1/top-1": "accuracy (loss1)",
        "loss3/loss3": "loss",
        "loss3/top-1": "accuracy",
        "loss3/top-5": "accuracy_top5",
    }


def test_equal_heads_are_judged_by_their_weighted_sum() -> None:
    log = parse(iteration(0, "3") + results(0, "box = 2 (* 0.5 = 1 loss)", "cls = 4 (* 0.5 = 2 loss)"))
    assert series(log, "weighted sum of Test net outputs", "test") == [(0, 3)]
    assert metrics(log, "test")["weighted sum of Test net outputs"] == "loss"


def test_detection_has_no_test_loss() -> None:
    classes = results(250) + f"{P}solver.cpp:540] class1: 0.8\n{P}solver.cpp:540] class2: 0.7\n"
    overall = f"{P}solver.cpp:546]     Test net output #0: detection_eval = 0.75\n"
    log = parse(iteration(240, "3", "mbox_loss = 3.1 (* 1 = 3.1 loss)") + classes + overall)
    assert series(log, "detection_eval", "test") == [(250, 0.75)]
    assert metrics(log, "test") == {"class1": "class_ap (1)", "class2": "class_ap (2)", "detection_eval": "map"}
    assert log.dialect == "SSD"


def test_two_test_nets_and_one_of_them_on_train_data() -> None:
    stages = ('test_state { stage: "test-on-train" }', "test_state {", '  stage: "test-on-test"', "}")
    both = results(0, loss_of(1.5), net=0) + results(0, loss_of(1.7), net=1)
    plain = parse(iteration(0, "1.6") + both)
    assert metrics(plain, "test") == {"loss (#0)": "loss", "loss (#1)": "loss #1"}
    staged = parse(solver("base_lr: 0.1", *stages) + iteration(0, "1.6") + both)
    assert metrics(staged, "test") == {"loss (#1)": "loss"}
    assert metrics(staged, "train")["loss (#0)"] == "loss on train data"


def test_vector_output_repeats_one_name() -> None:
    log = parse(iteration(0, "1") + results(0, "per_class = 0.1", "per_class = 0.2"))
    assert set(metrics(log, "test")) == {"per_class #0", "per_class #1"}


def test_output_renumbered_by_a_second_process_stays_one_series() -> None:
    log = parse(iteration(0, "1") + results(0, "accuracy = 0.1", loss_of(2)) + results(20, loss_of(1)))
    assert series(log, "loss", "test") == [(0, 2), (20, 1)]
    assert metrics(log, "test")["loss"] == "loss"


def running_mean(batches: list[float], window: int) -> list[float]:
    """Caffe's update of the smoothed loss, in float32."""
    recent: list[np.float32] = []
    mean = np.float32(0)
    means = []
    for i, loss in enumerate(np.array(batches, np.float32)):
        if len(recent) < window:
            recent.append(loss)
            mean = np.float32((mean * np.float32(len(recent) - 1) + loss) / np.float32(len(recent)))
        else:
            mean = np.float32(mean + (loss - recent[i % window]) / np.float32(window))
            recent[i % window] = loss
        means.append(float(mean))
    return means


def log_of(batches: list[float], window: int = 10) -> ParsedLog:
    pairs = zip(running_mean(batches, window), batches, strict=True)
    lines = [iteration(i, f"{mean:.6g}", loss_of(batch)) for i, (mean, batch) in enumerate(pairs)]
    return parse(solver("base_lr: 0.1", f"average_loss: {window}") + "".join(lines))


@pytest.mark.parametrize("spike", [1e13, math.nan])
def test_damaged_mean_is_replaced_by_the_outputs(spike: float) -> None:
    batches = [3 - 0.01 * i + 0.1 * (i % 3) for i in range(120)]
    batches[30] = spike
    log = log_of(batches)
    assert metrics(log, "train")["loss"] == "loss_corrupt"
    assert metrics(log, "train")["weighted sum of Train net outputs"] == "loss"
    stand_in = series(log, "weighted sum of Train net outputs")
    assert stand_in[-1] == (119, pytest.approx(batches[-1]))
    assert len(stand_in) == 120
    assert "never recovers" in log.problems[0].message
    assert log.problems[0].line == 4 + 3 * 30


def test_sound_means_are_kept() -> None:
    healthy = [3 - 0.01 * i + 0.1 * (i % 3) for i in range(120)]
    small_spike = [*healthy[:30], 300.0, *healthy[31:]]
    huge_start = [1e6, *healthy[1:]]
    dead = healthy[:30] + [math.nan] * 90
    masked = healthy[:30] + [0.0 if i % 2 else math.nan for i in range(90)]
    for batches in (healthy, small_spike, huge_start, dead, masked):
        assert metrics(log_of(batches), "train")["loss"] == "loss"


def test_processes_in_one_file_are_told_apart() -> None:
    first = solver("max_iter: 40") + iteration(0, "2") + iteration(20, "1")
    log = parse(first + solver("max_iter: 40") + P + "solver.cpp:289] Solving Net\n" + iteration(20, "1.1"))
    assert log.starts == (1, 7)
    assert series(log, "loss") == [(0, 2), (20, 1), (20, 1.1)]


def test_evaluation_is_no_training_curve() -> None:
    told = results(0, "accuracy = 0.9") + SOLVER + "Iteration 0, loss = 3.5\n"
    log = parse(solver("max_iter: 0") + told + SOLVER + "Optimization Done.\n")
    assert series(log, "loss") == []
    assert series(log, "accuracy", "test") == [(0, 0.9)]
    assert any(fact.name == "evaluation_only" for fact in log.facts)
    assert "only tested" in log.problems[0].message


def test_outputs_without_an_iteration_are_left_out_and_told() -> None:
    log = parse(f"{P}solver.cpp:237]     Train net output #0: {loss_of(1)}\n" + iteration(20, "2", loss_of(2)))
    assert series(log, "Train net output #0: loss") == [(20, 2)]
    assert "left out" in log.problems[0].message


def test_line_ends_encodings_and_compression(tmp_path: Path) -> None:
    text = iteration(0, "2.5", loss_of(2.4)) + results(0, "accuracy = 0.1")
    crlf = text.replace("\n", "\r\n").encode()
    powershell = b"\xff\xfe" + text.encode("utf-16-le")
    packed = tmp_path / "train.log.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    for log in (parse(crlf), parse(powershell), PARSER.parse(LogFile(packed, "train.log.gz"))):
        assert series(log, "loss") == [(0, 2.5)]
        assert series(log, "accuracy", "test") == [(0, 0.1)]


def test_empty_file() -> None:
    log = parse(b"")
    assert (len(log.table), log.lines, log.problems) == (0, 0, ())


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (P + "caffe.cpp:217] Use CPU.\n", Match.SURE),
        (P + "layer_factory.hpp:77] Creating layer data\n", Match.SURE),
        ("+ set -e\n" + SOLVER + "Iteration 0, loss = 2\n", Match.SURE),
        ("Iteration 0, loss = 2\n    Train net output #0: loss = 2\nIteration 0, lr = 0.1\n", Match.MAYBE),
        ("Iteration 1, loss = 2.3\nIteration 2, loss = 2.1\nIteration 3, loss = 2.0\n", Match.NO),  # scikit-learn
        ("I0407 22:52:49.7 139 basic_session_run_hooks.py:260] loss = 0.165, step = 6100 (76.7 sec)\n", Match.NO),
        ("Iteration 20, loss: 0.5\n", Match.NO),
    ],
)
def test_sniffing(head: str, answer: Match) -> None:
    assert PARSER.sniff(LogFile(Path("x.log"), "x.log", head.encode())) is answer


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=30), st.integers(1, 17))
def test_numbers_are_those_of_float(values: list[float], figures: int) -> None:
    texts = [f"{value:.{figures}g}" for value in values]
    block = next(iter(blocks(" ".join(texts).encode())))
    offsets = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    found = numbers(block, offsets)
    assert found.readable.all()
    assert found.value.tolist() == [float(text) for text in texts]
    assert found.length.tolist() == [len(text) for text in texts]


def test_long_lines_and_files_of_many_blocks() -> None:
    text = "".join(iteration(20 * i, f"{1 / (i + 1):.6g}", loss_of(1)) + "x" * 3000 + "\n" for i in range(1500))
    log = parse(text)
    steps, values = zip(*series(log, "loss"), strict=True)
    assert list(steps) == [20 * i for i in range(1500)]
    assert list(values) == [float(f"{1 / (i + 1):.6g}") for i in range(1500)]
    assert log.table.line[log.table.code == log.table.code[0]].tolist() == [1 + 4 * i for i in range(1500)]
