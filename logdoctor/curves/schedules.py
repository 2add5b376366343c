"""Least-squares fits of the smooth learning-rate schedules: which family a falling (or rising) rate follows.

Formulas, with u the distance from where the schedule starts:
linear a + b·u · exponential a·g^u · inverse-time a·(1 + d·u)^−p (Caffe's inv, Keras' InverseTimeDecay with p = 1, the
Transformer's inverse square root with p = ½) · poly floor + (a − floor)·(1 − u/T)^p (DeepLab: p = 0.9) ·
cosine floor + (a − floor)·(1 + cos(πu/T))/2 (Loshchilov & Hutter 2017) · sigmoid a/(1 + exp(−g·(u − s))) (Caffe).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import leastsq

Floats = npt.NDArray[np.float64]
Shape = Callable[[Floats, Floats], Floats]

MOST_CALLS = 300  # of a family, for one start of the search
EXACT = 1e-4  # of the largest rate: what remains when the right family is fitted to exactly logged rates


@dataclass(frozen=True)
class Fit:
    """A family with its parameters (in units of x and of the rate) and the root mean square of what it leaves."""

    kind: str
    parameters: Mapping[str, float]
    rms: float
    score: float


@dataclass(frozen=True)
class _Family:
    """`shape(theta, u)` on u in [0, 1]; `starts` for the search; `named` turns theta into parameters per unit of x."""

    kind: str
    shape: Shape
    starts: Sequence[Sequence[float]]
    named: Callable[[Floats, float, float], dict[str, float]]


def fit_families(
    x: Floats, y: Floats, resolution: float = 0.0, origin: float | None = None, kind: str = ""
) -> list[Fit]:
    """Every family (or those of one kind) fitted to rates y at x (shape (n,), n ≥ 3), best first by BIC.

    `resolution` is the unit of the last digit printed: differences below it tell families not apart. `origin` is
    where the schedule starts (default: the first x). Rates are compared absolutely, as their small end hardly matters.
    """
    start = float(x[0]) if origin is None else origin
    span = float(x[-1] - start) or 1.0
    scale = float(np.max(np.abs(y))) or 1.0
    u, v = (x - start) / span, y / scale
    floor = EXACT**2 + (resolution / scale) ** 2 / 12
    wanted = [one for one in _FAMILIES if len(x) >= len(one.starts[0]) and (not kind or one.kind == kind)]
    fits = [_fit(family, u, v, floor, span, scale) for family in wanted]
    return sorted(fits, key=lambda fit: fit.score)


def _fit(family: _Family, u: Floats, v: Floats, floor: float, span: float, scale: float) -> Fit:
    def residual(theta: Floats) -> Floats:
        return np.asarray(np.fmax(np.fmin(family.shape(theta, u) - v, 10.0), -10.0))  # NaN becomes 10

    with np.errstate(over="ignore", invalid="ignore"):
        found = [
            np.asarray(leastsq(residual, np.array(start, float), maxfev=MOST_CALLS, full_output=True)[0])
            for start in family.starts
        ]
        left = [float(np.mean(residual(theta) ** 2)) for theta in found]
    best, mean_square = found[int(np.argmin(left))], min(left)
    score = len(u) * np.log(mean_square + floor) + len(best) * np.log(len(u))
    return Fit(family.kind, family.named(best, span, scale), scale * mean_square**0.5, float(score))


def _within(value: float, low: float, high: float) -> float:
    """`np.clip` of one number, at a tenth of the time."""
    return low if value < low else high if value > high else value


def _linear(theta: Floats, u: Floats) -> Floats:
    return np.asarray(theta[0] + theta[1] * u)


def _exponential(theta: Floats, u: Floats) -> Floats:
    return np.asarray(theta[0] * np.exp(_within(theta[1], -50, 50) * u))


def _inverse(power: float | None) -> Shape:
    def shape(theta: Floats, u: Floats) -> Floats:
        return np.asarray(theta[0] * (1 + np.exp(theta[1]) * u) ** -(power or _within(theta[2], 0.05, 4)))

    return shape


def _poly(theta: Floats, u: Floats) -> Floats:
    floor = theta[3] if len(theta) > 3 else 0.0
    left = np.clip(1 - u / (1 + np.exp(_within(theta[1], -30, 5))), 0, 1)
    return np.asarray(floor + (theta[0] - floor) * left ** _within(theta[2], 0.1, 10))


def _cosine(theta: Floats, u: Floats) -> Floats:
    floor = theta[2] if len(theta) > 2 else 0.0
    total = 0.9 + np.exp(_within(theta[1], -10, 3))
    return np.asarray(floor + (theta[0] - floor) * 0.5 * (1 + np.cos(np.pi * u / total)))


def _sigmoid(theta: Floats, u: Floats) -> Floats:
    return np.asarray(theta[0] / (1 + np.exp(-_within(theta[1], -200, 200) * (u - theta[2]))))


def _name_linear(theta: Floats, span: float, scale: float) -> dict[str, float]:
    slope = scale * theta[1] / span
    return {"base": scale * theta[0], "slope": slope, "total": -scale * theta[0] / slope if slope else np.inf}


def _name_exponential(theta: Floats, span: float, scale: float) -> dict[str, float]:
    return {"base": scale * theta[0], "gamma": float(np.exp(theta[1] / span))}


def _name_inverse(power: float | None) -> Callable[[Floats, float, float], dict[str, float]]:
    def named(theta: Floats, span: float, scale: float) -> dict[str, float]:
        return {"base": scale * theta[0], "decay": float(np.exp(theta[1]) / span),
                "power": power or float(_within(theta[2], 0.05, 4))}  # fmt: skip

    return named


def _name_poly(theta: Floats, span: float, scale: float) -> dict[str, float]:
    total = span * float(1 + np.exp(_within(theta[1], -30, 5)))
    named = {"base": scale * theta[0], "power": float(_within(theta[2], 0.1, 10)), "total": total}
    return named if len(theta) < 4 else {**named, "floor": scale * theta[3]}


def _name_cosine(theta: Floats, span: float, scale: float) -> dict[str, float]:
    total = span * float(0.9 + np.exp(_within(theta[1], -10, 3)))
    return {"base": scale * theta[0], "total": total, "floor": scale * theta[2] if len(theta) > 2 else 0.0}


def _name_sigmoid(theta: Floats, span: float, scale: float) -> dict[str, float]:
    return {"base": scale * theta[0], "gamma": float(theta[1] / span), "centre": float(theta[2] * span)}


_JUST_DONE, _FAR = (
    -4.0,
    0.0,
)  # log of how far beyond the last point the schedule would end, in lengths of the run

_FAMILIES = (
    _Family("linear", _linear, [[1, -1]], _name_linear),
    _Family("exponential", _exponential, [[1, -1], [1, -5]], _name_exponential),
    *(_Family("inverse-time", _inverse(p), [[1, 0], [1, 4]], _name_inverse(p)) for p in (1.0, 0.5, 0.75)),
    _Family("inverse-time", _inverse(None), [[1, 0, 0.9], [1, 4, 0.6]], _name_inverse(None)),
    _Family("poly", _poly, [[1, _JUST_DONE, 0.9], [1, _FAR, 0.9], [1, _JUST_DONE, 2]], _name_poly),
    _Family("poly", _poly, [[1, _JUST_DONE, 0.9, 0.01], [1, _JUST_DONE, 2, 0.01]], _name_poly),
    _Family("cosine", _cosine, [[1, -2], [1, _FAR]], _name_cosine),
    _Family("cosine", _cosine, [[1, -2, 0.01], [1, _FAR, 0.01]], _name_cosine),
    _Family("sigmoid", _sigmoid, [[1, 10, 0.5], [1, -10, 0.5]], _name_sigmoid),
)
