"""Training curves with known truth: seeded, of any length, with the kinds of noise real logs have."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from factories import curve, run

from logdoctor.case import Case
from logdoctor.segments import Drop, Schedule, Segment

Floats = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Floats]


def white(rng: np.random.Generator, n: int) -> Floats:
    """Independent normal noise of σ 1."""
    return rng.standard_normal(n)


def autocorrelated(rng: np.random.Generator, n: int, memory: float = 0.6) -> Floats:
    """A first-order autoregressive process of σ 1."""
    noise = rng.standard_normal(n) * (1 - memory**2) ** 0.5
    noise[0] /= (1 - memory**2) ** 0.5
    for i in range(1, n):
        noise[i] += memory * noise[i - 1]
    return noise


def heavy_tailed(rng: np.random.Generator, n: int) -> Floats:
    """Student's t with three degrees of freedom, scaled to σ 1: one value in a hundred lies beyond 2.6 σ."""
    return np.asarray(rng.standard_t(3, n) / 3**0.5)


NOISES: dict[str, Noise] = {"white": white, "autocorrelated": autocorrelated, "heavy-tailed": heavy_tailed}


def fall(n: int, *, start: float = 2.0, floor: float = 0.4, time: float = 0.17) -> Floats:
    """An exponential fall from `start` to `floor`; `time`: decay time as a share of the n points.

    At 0.17 the run is as long as it should be: the last fifth brings under 1 %, and only the last third is flat.
    """
    return floor + (start - floor) * np.exp(-np.arange(n) / (time * n))


def noisy(level: Floats, sigma: float = 0.0, seed: int = 0, kind: Noise = white) -> Floats:
    """The level with noise of the given σ."""
    return level + sigma * kind(np.random.default_rng(seed), len(level))


def case(
    train: Floats,
    val: Floats | None = None,
    *,
    drops: tuple[float, ...] = (),
    rate: float = 0.1,
    kind: str | None = None,
    unit: str = "epoch",
    x: Floats | None = None,
    **changes: Any,
) -> Case:
    """A case with a known schedule: the rate falls by ten at each of `drops` (x, the last epoch at the old rate)."""
    curves = [curve(train, x=x)]
    if val is not None:
        curves.append(curve(val, tag="val_loss", split="val"))
    made = run("synthetic", *curves, unit=unit, **changes)
    return Case.of(made, schedule=schedule(drops, made.end, rate, kind))


def schedule(at: tuple[float, ...], end: float, rate: float = 0.1, kind: str | None = None) -> Schedule:
    """A logged multistep schedule (constant without drops)."""
    edges = (0.0, *at, end)
    rates = [rate * 0.1**i for i in range(len(edges))]
    segments = tuple(Segment(a, b, lr) for (a, b), lr in zip(pairwise(edges), rates, strict=False))
    drops = tuple(
        Drop(here, None, 0.1, rates[i], rates[i + 1], here - before, here, here)
        for i, (before, here) in enumerate(pairwise(edges[:-1]))
    )
    return Schedule(kind or ("multistep" if at else "constant"), "logged", drops=drops, segments=segments)


def settling(n: int, share: float = 0.7) -> Floats:
    """From 1 to 0 along half a cosine over `share` of the n points, flat for the rest: no question when it is flat."""
    done = np.minimum(np.arange(1, n + 1) / (share * n), 1.0)
    return np.asarray((1 + np.cos(np.pi * done)) / 2)


HEIGHTS = (1.0, 0.5, 0.25)  # what the segments of a sound run bring
FLAT_SHARES = (0.33, 0.33, 0.6)  # of each that is flat; a drop comes neither early (under 1/5) nor late (over 1/2)
ALONE_FLAT_SHARE = 0.3  # of a run without drops


def healthy(n: int, seed: int, kind: Noise, *, sigma: float = 0.03, unit: str = "epoch") -> Case:
    """A sound run: it falls, settles, and (from 40 points on) its two drops come when a third of a segment was flat.

    `sigma`: noise of the train loss as a share of the total drop; the validation loss lies a little above the train
    loss and has a third of its noise.
    """
    lengths = (n,) if n < 40 else (round(0.35 * n), round(0.3 * n), n - round(0.35 * n) - round(0.3 * n))
    parts = [_sound_part(i, length, len(lengths)) for i, length in enumerate(lengths)]
    level = 0.4 + np.concatenate(parts)
    train = noisy(level, sigma, seed, kind)
    val = noisy(level + 0.05, 0.3 * sigma, seed + 1_000_003, kind)
    return case(train, val, drops=tuple(float(sum(lengths[: i + 1])) for i in range(len(lengths) - 1)), unit=unit)


def _sound_part(index: int, length: int, parts: int) -> Floats:
    """One segment, settling so that less than 2 % of the drop so far is left for its flat share."""
    height, so_far = HEIGHTS[index], sum(HEIGHTS[: index + 1])
    flat = ALONE_FLAT_SHARE if parts == 1 else FLAT_SHARES[index]
    until = np.arccos(0.04 * so_far / height - 1) / np.pi
    return height * settling(length, (1 - flat) / until) + sum(HEIGHTS[index + 1 : parts])


def staircase(*lengths: int, left: tuple[float, ...], gain: float = 0.5, start: float = 2.0) -> Floats:
    """Segments of the given lengths, each falling to a new floor.

    `left`: for each segment the share of its own fall that is left when it ends (0.2: still falling, 1e-6: long flat).
    Each drop brings `gain` of what the segment before brought.
    """
    parts, level, height = [], start, 1.0
    for length, rest in zip(lengths, left, strict=True):
        time = length / np.log(1 / rest)
        part = level - height * (1 - np.exp(-np.arange(1, length + 1) / time))
        parts.append(part)
        level, height = float(part[-1]), height * gain
    return np.concatenate(parts)
