"""Which kind of schedule a logged learning rate follows, from its levels, its turns and fits of the smooth families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from logdoctor.curves.schedules import fit_families
from logdoctor.schedule_levels import Change, Rates, Shape, common_length
from logdoctor.schedule_smooth import acceptable, smooth_shape, stairs_shape

Floats = npt.NDArray[np.float64]

TURN = 0.05  # relative: smaller ups and downs are no turn
STAIR = 1.5  # epochs: a rate kept for less may be a stair of a schedule set anew each epoch
STEEP = 0.6  # a rate that keeps less than this from one line to the next was dropped, not annealed
THREE_DIGITS = 0.005  # relative: what printing with three digits can do to a rate
GENTLE, MANY = 0.8, 8  # equal stairs by a larger factor, so many of them, are exponential decay rather than drops
LONG_RAMP = 0.2  # of the run: a rise that takes longer is half of a cycle rather than a warm-up
CYCLE_ENDS = 0.15  # of the peak: a one-cycle schedule ends below this
ABRUPT = 0.35  # rise ÷ fall: below this the rate restarts, above it swings


def recognise_shape(rates: Rates) -> Shape:
    """The kind of schedule with its parameters and, where the rate was held, its jumps."""
    if len(rates.levels) == 1:
        return Shape("constant", {"base": rates.levels[0].value})
    turns = turning_points(rates.heights, rates.digit)
    rising = [bool(rates.heights[b] > rates.heights[a]) for a, b in pairwise(turns)]
    if not any(rising):
        return _falling(rates)
    if sum(rising) == 1 and rising[0]:
        return _rise_first(rates, turns[1])
    return _several_rises(rates, turns)


def turning_points(heights: Floats, slack: float) -> list[int]:
    """Indices of both ends and of every extreme from which values turn by more than 5 % and two last digits."""
    values = heights.tolist()
    extremes, low, high, direction = [0], 0, 0, 0
    for i, value in enumerate(values):
        low = i if value < values[low] else low
        high = i if value > values[high] else high
        fell = values[high] - value > TURN * values[high] + 2 * slack
        rose = value - values[low] > TURN * values[low] + 2 * slack
        if direction >= 0 and fell:
            extremes += [high] if high > extremes[-1] else []
            direction, low = -1, i
        elif direction <= 0 and rose:
            extremes += [low] if low > extremes[-1] else []
            direction, high = 1, i
    last = len(values) - 1 if direction <= 0 else high
    return [*extremes, last] if last > extremes[-1] else extremes


def _falling(rates: Rates, start: float = 0.0) -> Shape:
    """A rate that falls, or hardly changes, after a warm-up until `start`."""
    if len(rates.levels) == 1:
        return Shape("constant", {"base": rates.levels[0].value})
    held = _held(rates)
    if all(held[:-1]) and not _last_digit_only(rates):
        smooth = None if _one_factor(rates) else stairs_shape(rates)
        return smooth or _piecewise(rates)
    mostly_held = _share_held(rates, held) > 0.7
    if mostly_held and _steep(rates):
        return _piecewise(rates)
    return smooth_shape(rates, start) or (_piecewise(rates) if mostly_held else _custom(rates))


def _held(rates: Rates) -> list[bool]:
    """For each level whether the rate was kept there, rather than passed through on the way down."""
    if all(level.points == 1 for level in rates.levels):
        sparse = rates.grid.interval > STAIR and len(rates.levels) <= 6 and _steep(rates)
        return [sparse] * len(rates.levels)
    spans = np.diff([0.0, *rates.places, rates.end])
    least = STAIR if rates.grid.unit == "epoch" else 0.0
    return [level.points > 1 and span >= least for level, span in zip(rates.levels, spans, strict=True)]


def _steep(rates: Rates) -> bool:
    return bool(np.all(rates.heights[1:] < STEEP * rates.heights[:-1]))


def _share_held(rates: Rates, held: Sequence[bool]) -> float:
    spans = np.diff([0.0, *rates.places, rates.end])
    return float(spans[np.array(held)].sum() / max(spans.sum(), 1e-300))


def _last_digit_only(rates: Rates) -> bool:
    """Whether all changes are those of the last digit printed: a smooth schedule seen through rounding."""
    return len(rates.levels) >= 4 and bool(np.all(np.abs(np.diff(rates.heights)) <= 1.01 * rates.digit))


def _one_factor(rates: Rates) -> bool:
    """Whether one factor explains every change, given the digits printed (at worst three)."""
    printed = rates.resolution[np.searchsorted(rates.x, [level.first for level in rates.levels])]
    half = np.maximum(printed / 2, THREE_DIGITS * rates.heights)
    least = np.maximum(rates.heights[1:] - half[1:], 0) / (rates.heights[:-1] + half[:-1])
    most = (rates.heights[1:] + half[1:]) / np.maximum(rates.heights[:-1] - half[:-1], 1e-300)
    return bool(np.max(least) <= np.min(most) * (1 + 1e-4))


def _piecewise(rates: Rates) -> Shape:
    """Rates held, then changed: step where lengths and factors are equal, else multistep."""
    heights, at = rates.heights, rates.places
    changes = tuple(Change(p, float(a), float(b)) for p, a, b in zip(at, heights, heights[1:], strict=False))
    base = float(heights[0])
    gamma = float(f"{heights[1] / base:.4g}") if base else 0.0  # the first two rates carry the most digits
    if not _one_factor(rates):
        return Shape("multistep", {"base": base, "milestones": at, "rates": heights.tolist()}, changes=changes)
    length = common_length(rates.gaps, rates.grid) if len(at) > 1 else None
    if length is not None and gamma > GENTLE and len(at) >= MANY:
        return Shape("exponential", {"base": base, "gamma": float(f"{gamma ** (1 / length):.4g}"), "stair": length})
    if length is not None:
        return Shape("step", {"base": base, "gamma": gamma, "length": length}, changes=changes)
    kind = "plateau-driven" if _unplanned(at, rates.end) else "multistep"
    return Shape(kind, {"base": base, "milestones": at, "gamma": gamma}, changes=changes)


def _unplanned(at: Sequence[float], end: float) -> bool:
    """Four or more drops after very unequal times, few at a round place: set off by the loss."""
    if len(at) < 4:
        return False
    twentieths = [20 * place / end for place in at]
    planned = [p % 5 == 0 or abs(t - round(t)) < 0.05 for p, t in zip(at, twentieths, strict=True)]
    gaps = np.diff([0.0, *at])
    return sum(planned) <= len(at) / 2 and bool(gaps.max() > 1.5 * gaps.min())


def _custom(rates: Rates) -> Shape:
    """No known kind; of its changes those count as jumps that are steep and far larger than the others."""
    falls = np.abs(np.diff(rates.heights))
    logs = np.abs(np.diff(np.log(np.maximum(rates.heights, 1e-300))))
    stands_out = (logs >= 3 * np.median(logs)) & (falls >= 3 * np.median(falls))
    steep = np.flatnonzero((logs > -np.log(STEEP)) & (stands_out | np.array(_held(rates)[:-1])))
    at, heights = rates.places, rates.heights
    changes = [Change(at[i], float(heights[i]), float(heights[i + 1])) for i in steep]
    return Shape("custom", {"base": float(rates.heights[0])}, changes=tuple(changes))


def _rise_first(rates: Rates, peak: int) -> Shape:
    """One rise, at the start: a warm-up, one cycle, or a rate that only rises."""
    share = rates.levels[peak].first / rates.end
    if peak == len(rates.levels) - 1 and rates.levels[peak].points <= peak and share > LONG_RAMP:
        return smooth_shape(rates) or _custom(rates)
    fall = rates.between(peak, len(rates.levels) - 1)
    warm_up = rates.levels[peak].first
    rest = _falling(fall, warm_up)
    if rest.kind == "custom" and len(fall.levels) > 4:  # the line of the peak may lie before or behind the true one
        rest = smooth_shape(rates.between(peak + 1, len(rates.levels) - 1), warm_up) or rest
    if not rest.changes and rest.kind != "constant" and _is_cycle(rates, peak, share, rest):
        heights = rates.heights
        return Shape("one-cycle", {"low": float(heights[0]), "peak": float(heights[peak]), "last": float(heights[-1]),
                                   "total": rates.end, "peak_share": float(f"{share:.3g}")})  # fmt: skip
    if share > 0.5 and rest.kind != "constant":
        return _custom(rates)
    return replace(rest, warm_up=warm_up)


def _is_cycle(rates: Rates, peak: int, share: float, rest: Shape) -> bool:
    """Whether a rise and the smooth fall after it are one cycle: the rise S-shaped, or long and straight."""
    ramp = rates.between(0, peak)
    if rates.heights[-1] > CYCLE_ENDS * rates.heights[peak] or share < LONG_RAMP / 2:
        return False
    if len(ramp.levels) < 5:
        steps = np.diff(ramp.heights)
        return share > LONG_RAMP and (len(steps) == 1 or bool(steps[-1] < 0.5 * steps[-2]))
    fits = fit_families(ramp.x, ramp.value, ramp.digit, 0.0)
    line = next(fit.rms for fit in fits if fit.kind == "linear")
    curve = min(fit.rms for fit in fits if fit.kind == "cosine")
    return (curve < 0.5 * line and line > 0.01 * ramp.value.max()) or (share > LONG_RAMP and rest.kind == "linear")


def _several_rises(rates: Rates, turns: Sequence[int]) -> Shape:
    """Rises after a fall: restarts, swings, or a rate changed by hand."""
    if all(_held(rates)[:-1]) and not _last_digit_only(rates):
        return replace(_piecewise(rates), kind="custom", parameters={"base": float(rates.heights[0])})
    if (whole := smooth_shape(rates)) is not None and whole.kind == "cosine":
        return whole
    x = [rates.levels[i].first for i in turns]
    heights = rates.heights[list(turns)]
    rises = [b - a for a, b, p, q in zip(x, x[1:], heights, heights[1:], strict=False) if q > p]
    falls = [b - a for a, b, p, q in zip(x, x[1:], heights, heights[1:], strict=False) if q < p]
    peaks = [i for i, index in enumerate(turns) if i + 1 < len(turns) and heights[i + 1] < heights[i]]
    if np.median(rises) < ABRUPT * max(falls, default=0.0):
        return _restarts(rates, turns, peaks)
    equal = len(rises) + len(falls) > 2 and np.ptp(rises[:-1] or [0.0]) <= 0.3 * np.median(rises)
    if not equal:
        return _custom(rates)
    return Shape("cyclic", {"low": float(heights.min()), "high": float(heights.max()), "rise": float(np.median(rises))})


def _restarts(rates: Rates, turns: Sequence[int], peaks: Sequence[int]) -> Shape:
    """Falls that begin anew: cosine restarts where each follows a cosine, else cyclic."""
    longest = max(peaks, key=lambda i: turns[i + 1] - turns[i])
    fall = rates.between(turns[longest], turns[longest + 1])
    starts = [rates.levels[turns[i]].first for i in peaks]
    cycles = np.diff(starts)
    warm_up = starts[0] if turns[peaks[0]] > 0 else 0.0
    parameters: dict[str, float] = {"base": float(rates.heights.max()), "floor": float(rates.heights.min()),
                                    "first_cycle": float(cycles[0]) if len(cycles) else rates.end}  # fmt: skip
    if len(cycles) > 1:
        parameters["multiplier"] = float(f"{cycles[1] / cycles[0]:.3g}")
    if len(fall.x) < 5:
        return Shape("cosine-restarts", dict(parameters), warm_up)
    cosine = fit_families(fall.x, fall.value, fall.digit, kind="cosine")[0]
    best = cosine if acceptable(cosine, fall, 0.03) else fit_families(fall.x, fall.value, fall.digit)[0]
    if best.kind == "cosine":
        return Shape("cosine-restarts", dict(parameters), warm_up)
    if not acceptable(best, fall, 0.03):
        return _custom(rates)
    return Shape("cyclic", {"low": parameters["floor"], "high": parameters["base"], "rise": 0.0,
                            "fall": parameters["first_cycle"]}, warm_up)  # fmt: skip
