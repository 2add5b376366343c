"""Text logs for the benchmarks: Caffe, a PyTorch print, CSV and JSON lines, in the shapes their writers give them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

COLUMNS = ("step", "epoch", "train_loss", "train_acc", "lr", "val_loss")


def write_caffe(path: Path, megabytes: float) -> None:
    """A solver's log: loss, two outputs and the rate each 20 iterations, a test each 1,000."""
    _write(path, _caffe(np.random.default_rng(0)), int(megabytes * 1e6))


def write_pytorch(path: Path, megabytes: float) -> None:
    """What the ImageNet example prints, with a line for each validation."""
    _write(path, _pytorch(np.random.default_rng(1)), int(megabytes * 1e6))


def _write(path: Path, lines: Iterator[str], size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as stream:
        while size > 0:
            size -= stream.write(next(lines))


def _caffe(rng: np.random.Generator) -> Iterator[str]:
    def stamp(iteration: int, source: str) -> str:
        seconds = iteration * 0.01
        hour, minute = int(seconds // 3600) % 24, int(seconds // 60) % 60
        return (
            f"I{6:02d}{1 + int(seconds // 86400) % 28:02d} {hour:02d}:{minute:02d}:{seconds % 60:09.6f}  7797 {source}]"
        )

    yield f"{stamp(0, 'caffe.cpp:217')} Using GPUs 0\n"
    yield f"{stamp(0, 'solver.cpp:48')} Initializing solver from parameters: \n"
    yield 'test_iter: 100\ntest_interval: 1000\nbase_lr: 0.01\ndisplay: 20\nlr_policy: "fixed"\nmomentum: 0.9\n'
    yield f"{stamp(0, 'caffe.cpp:251')} Starting Optimization\n{stamp(0, 'solver.cpp:279')} Solving net\n"
    iteration = 0
    while True:
        loss, top = 6.9 * np.exp(-iteration / 4e6) * rng.uniform(0.9, 1.1), rng.uniform()
        weighted = f"loss = {loss:.6g} (* 1 = {loss:.6g} loss)"
        if iteration % 1000 == 0:
            yield f"{stamp(iteration, 'solver.cpp:337')} Iteration {iteration}, Testing net (#0)\n"
            yield f"{stamp(iteration, 'solver.cpp:404')}     Test net output #0: accuracy = {top:.6g}\n"
            yield f"{stamp(iteration, 'solver.cpp:404')}     Test net output #1: {weighted}\n"
        yield f"{stamp(iteration, 'solver.cpp:228')} Iteration {iteration}, loss = {loss:.6g}\n"
        yield f"{stamp(iteration, 'solver.cpp:244')}     Train net output #0: accuracy = {top:.6g}\n"
        yield f"{stamp(iteration, 'solver.cpp:244')}     Train net output #1: {weighted}\n"
        yield f"{stamp(iteration, 'sgd_solver.cpp:106')} Iteration {iteration}, lr = 0.01\n"
        iteration += 20


def _pytorch(rng: np.random.Generator) -> Iterator[str]:
    yield "=> creating model 'resnet50'\n"
    epoch = 0
    while True:
        for batch in range(0, 5005, 10):
            loss, first, fifth = (
                6.9 * np.exp(-(epoch + batch / 5005) / 30) * rng.uniform(0.9, 1.1),
                *rng.uniform(0, 99, 2),
            )
            yield (
                f"Epoch: [{epoch}][{batch:4d}/5005]\tTime  0.318 ( 0.322)\tData  0.001 ( 0.004)"
                f"\tLoss {loss:.4e} ({loss:.4e})"
                f"\tAcc@1 {first:6.2f} ({first:6.2f})\tAcc@5 {fifth:6.2f} ({fifth:6.2f})\n"
            )
        yield f" *   Acc@1 {first:.3f} Acc@5 {fifth:.3f}\n"
        epoch += 1


def rows(count: int) -> Iterator[dict[str, float]]:
    """Rows of a metrics table, a validation each 100."""
    rng = np.random.default_rng(2)
    for step in range(count):
        loss = 2.3 * np.exp(-4 * step / count) * rng.uniform(0.9, 1.1)
        row = {
            "step": step,
            "epoch": step // 500,
            "train_loss": round(loss, 6),
            "train_acc": round(rng.uniform(), 5),
            "lr": 0.001,
        }
        yield {**row, "val_loss": round(loss * 1.1, 6)} if step % 100 == 99 else row


def write_csv(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as stream:
        stream.write(",".join(COLUMNS) + "\n")
        for row in rows(count):
            stream.write(",".join(str(row.get(name, "")) for name in COLUMNS) + "\n")


def write_json_lines(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows(count))
