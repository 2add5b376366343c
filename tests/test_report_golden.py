"""A whole report as a file to read: tests/golden/report.md. LOGDOCTOR_REWRITE_GOLDEN=1 writes it anew, for the diff."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import Evidence, Severity, Skipped, Span
from logdoctor.report.markdown import to_markdown
from logdoctor.run import Axis, Closing, RunFact, RunProblem
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run

GOLDEN = Path(__file__).parent / "golden" / "report.md"


def stepwise() -> Diagnosis:
    """A run with two drops, one of them late, that overfits afterwards."""
    val = curve(falling(60, start=2.1, end=0.6), tag="val_loss", split="val")
    rate = curve(np.repeat([0.1, 0.01, 0.001], 20), tag="lr", metric="lr", split="")
    late, good = drops(20, 40, timing=("late", "good"))
    schedule = Schedule(
        "step", "logged", config={"pytorch": "StepLR(optimizer, step_size=20, gamma=0.1)"},
        drops=(replace(late, flat_since=13.0, gain=0.21), replace(good, gain=0.02)),
    )  # fmt: skip
    slow = finding(
        "late-drop", message="learning rate dropped at epoch 20, 7 epochs after the train loss went flat (epoch 13)",
        advice="Dropping sooner saves 7 epochs: `StepLR(optimizer, step_size=14, gamma=0.1)`.",
        span=Span(13.0, 20.0, "epoch"), firm=False, would_change="Tentative: the figures lie close to the limit.",
    )  # fmt: skip
    return diagnosis(
        run(
            "resnet|50/lr_0.1", curve(falling(60), tag="train_loss"), val, rate, axis=Axis("epoch", 78.0, "logged"),
            facts={"batch_size": RunFact(64, "runs/a.csv", 1)}, attempts=2,
            receipts=("restart 1 (from line 31) goes on at epoch 30: 12 numbers written twice, the later copy kept",),
            problems=(RunProblem("runs/a.csv", 33, "expected 4 columns, found 2: `33,0.1`"),),
        ),
        finding(), slow, schedule=schedule, plots=(Path("plots/resnet_50_lr_0.1-1a2b3c4d.png"),),
        measures={"epochs": 60.0, "best_epoch": 20.0, "best_value": 0.52, "epochs_flat": 27.0, "epochs_wasted": 40.0, "noise": 0.01315},
        skipped=(Skipped("epoch-sawtooth", "one value an epoch"), Skipped("generalization-gap", "one value an epoch")),
    )  # fmt: skip


def crashed() -> Diagnosis:
    closing = Closing("crashed", Evidence("runs/b.log", 99), "out of memory", ("step 98", "CUDA out of memory <0>"))
    stopped = finding(
        "interrupted", Severity.ERROR, message="interrupted at step 40: out of memory", span=Span(40.0, 40.0, "step"),
        advice="The GPU was full. Halve the batch size and resume.", evidence=(Evidence("runs/b.log", 99),),
    )  # fmt: skip
    return diagnosis(
        run("b", unit="step", closing=closing), stopped, state="interrupted", measures={"best_epoch": None}
    )


def test_the_report_reads_as_agreed() -> None:
    report = Report((crashed(), stepwise(), diagnosis(run("calm"))), (Unread("core.dump", "not recognised"),))
    text = to_markdown(report)
    if os.environ.get("LOGDOCTOR_REWRITE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
