"""The tables of a comparison as text without markup, for Markdown and for the terminal."""

from __future__ import annotations

import math

import numpy as np

from logdoctor.compare import Entrant, SideBySide
from logdoctor.compare_seeds import Seeds
from logdoctor.compare_words import PLACES, place, position
from logdoctor.report import numbers
from logdoctor.report.json_report import epochs_per_drop_list

SHOWN_DROPS = 4


def axis_word(side: SideBySide) -> str:
    return PLACES[side.unit]


def standings_header(side: SideBySide) -> list[str]:
    """`run`, one column a mark (best so far there), best, where, last."""
    marks = [place(mark, side.unit) for mark in side.marks.tolist()]
    return ["run", *marks, "best", f"at {axis_word(side)}", "last"]


def standings(side: SideBySide) -> list[list[str]]:
    """A row a run, best first: the best logged value so far at equal places, and of the whole run."""
    return [_standing(entrant, side.unit) for entrant in side.entrants]


def _standing(entrant: Entrant, unit: str) -> list[str]:
    so_far = [numbers.figure(value, 4) for value in entrant.best_so_far.tolist()]
    whole = [numbers.figure(entrant.best, 4), position(entrant.best_at, unit), numbers.figure(entrant.last, 4)]
    return [entrant.label, *so_far, *whole]


def seed_rows(side: SideBySide) -> list[list[str]]:
    """A row a setting, under the header of the standings: mean ± standard deviation over its seeds."""
    return [_seed_row(seeds) for seeds in side.seeds]


def _seed_row(seeds: Seeds) -> list[str]:
    marks = [_spread(mean, deviation) for mean, deviation in seeds.at_marks.tolist()]
    return [f"{seeds.name} ({len(seeds.runs)} runs)", *marks, _spread(seeds.best, seeds.spread), "", ""]


def _spread(mean: float, deviation: float) -> str:
    return f"{numbers.figure(mean)} ± {numbers.figure(deviation, 2)}" if math.isfinite(mean) else numbers.NOTHING


SETTINGS_HEADER = ("run", "learning rate", "schedule", "drops after", "epochs per drop", "optimizer", "batch", "time")


def settings(side: SideBySide) -> tuple[list[str], list[list[str]]]:
    """Header and a row a run: its schedule and what else of its setting any of the logs states."""
    rows = [_setting(entrant) for entrant in side.entrants]
    told = [column for column in range(len(SETTINGS_HEADER)) if any(row[column] != numbers.NOTHING for row in rows)]
    return [SETTINGS_HEADER[column] for column in told], [[row[column] for column in told] for row in rows]


def _setting(entrant: Entrant) -> list[str]:
    diagnosis, schedule = entrant.diagnosis, entrant.diagnosis.schedule
    run, lengths = diagnosis.run, epochs_per_drop_list(schedule, diagnosis.run.axis)
    shown = [numbers.place(drop.at) for drop in schedule.drops]
    more = [f"{len(shown) - SHOWN_DROPS} more"] if len(shown) > SHOWN_DROPS else []
    guessed = " (inferred)" if schedule.origin == "inferred" else ""
    return [
        entrant.label,
        _rates(entrant),
        schedule.kind if schedule.kind != "unknown" else numbers.NOTHING,
        ", ".join([*shown[:SHOWN_DROPS], *more]) + guessed if shown else numbers.NOTHING,
        numbers.place(float(np.median(lengths))) if lengths else numbers.NOTHING,
        str(run.fact("optimizer", numbers.NOTHING)),
        str(run.fact("batch_size", numbers.NOTHING)),
        numbers.duration(diagnosis.measures.get("hours")),
    ]


def _rates(entrant: Entrant) -> str:
    """The largest and the last rate: `0.1 → 0.001`."""
    lr = entrant.diagnosis.run.lr
    if lr is None or not lr.finite.any():
        return numbers.NOTHING
    values = lr.value[lr.finite]
    top, last = numbers.figure(float(values.max())), numbers.figure(float(values[-1]))
    return top if top == last else f"{top} → {last}"
