"""Sentences several analyzers share: why a verdict is tentative, and remedies as a line to paste."""

from __future__ import annotations

from logdoctor.case import Case


def doubts(case: Case, *, schedule: bool = False, borderline: bool = False) -> list[str]:
    """What makes a verdict tentative, as clauses; empty for a firm one. `schedule`: it rests on the learning rate."""
    found = []
    if case.short:
        found.append(f"only {case.lasting(case.length)} were trained; about 10 epochs are needed for a firm verdict")
    if not case.epochs_known:
        found.append("the length of an epoch is unknown (--steps-per-epoch or --dataset-size would give it)")
    if case.begins_late:
        found.append(f"the log begins only at {case.place(case.needs_train(1).x[0])}")
    if schedule and case.adaptive:
        found.append(f"{case.run.fact('optimizer')} scales its own steps, so the schedule matters less")
    if schedule and case.schedule.origin == "inferred":
        found.append("the learning rate is not in the log: the drops are inferred from the loss")
    if borderline:
        found.append("the figures lie close to the limit")
    return found


def sentence(clauses: list[str]) -> str:
    """Clauses as one sentence; empty for none."""
    return f"Tentative: {'; '.join(clauses)}." if clauses else ""


def drop_line(case: Case, *positions: float) -> str:
    """The line of configuration that drops the rate by ten at the positions, in the words of the run's framework."""
    if "caffe" in case.run.formats:
        steps = " ".join(f"stepvalue: {_step(case, x):.0f}" for x in positions)
        return f'`lr_policy: "multistep" gamma: 0.1 {steps}`'
    marks = ", ".join(f"{x:.0f}" for x in positions)
    if any(name.startswith("keras") for name in case.run.formats):
        rates = " * ".join(f"(0.1 if epoch >= {x:.0f} else 1)" for x in positions)
        return f"`LearningRateScheduler(lambda epoch: base_lr * {rates})`"
    return f"`MultiStepLR(optimizer, milestones=[{marks}], gamma=0.1)` (in {case.run.axis.words})"


def _step(case: Case, x: float) -> float:
    return x * (case.run.axis.steps_per_epoch or 1.0) if case.unit == "epoch" else x


def percent(share: float) -> str:
    """A share as a reader wants it: `1.1 %`, `23 %`."""
    return f"{100 * share:.1f} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"
