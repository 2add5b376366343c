"""Least-squares fits with honest standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.noise import autocorrelation, memory_factor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A straight line y = level + slope·(x − middle); standard errors allow for autocorrelated residuals.

    `spread`: sum of (x − middle)².
    """

    slope: float
    level: float
    middle: float
    slope_error: float
    spread: float

    @property
    def t(self) -> float:
        """Slope in units of its standard error (0 where the error is unknown)."""
        return self.slope / self.slope_error if self.slope_error > 0 else 0.0


def fit_line(x: Floats, y: Floats) -> Line:
    """Ordinary least squares. The slope's variance grows by (1+ρ)/(1−ρ), ρ the residuals' lag-one autocorrelation.

    Fewer than three points have no standard error (infinite).
    """
    middle, level = float(x.mean()), float(y.mean())
    u = x - middle
    spread = float(u @ u)
    if len(x) < 3 or spread == 0:
        slope = float(u @ y) / spread if spread else 0.0
        return Line(slope, level, middle, float("inf"), spread)
    slope = float(u @ y) / spread
    residual = y - level - slope * u
    memory = autocorrelation(residual)
    variance = float(residual @ residual) / (len(x) - 2) / spread * (1 + memory) / (1 - memory)
    return Line(slope, level, middle, variance**0.5, spread)


@dataclass(frozen=True)
class Fall:
    """How far a straight line falls from the first x to the last, and the standard error of that."""

    size: float
    error: float

    @property
    def t(self) -> float:
        """The fall in standard errors; infinite for points exactly on a line."""
        if self.error > 0:
            return self.size / self.error
        return math.copysign(math.inf, self.size) if self.size else 0.0


def fit_fall(x: Floats, y: Floats, sigma: float = 0.0) -> Fall:
    """The fall of points (n,), n ≥ 1; its error is the line's own, or what the usual scatter `sigma` makes if larger.

    A few points lie close to a line by chance: then their own residuals understate the error.
    """
    line = fit_line(x, y)
    length = float(x[-1] - x[0])
    usual = sigma / math.sqrt(line.spread) if line.spread > 0 and math.isfinite(sigma) else 0.0
    return Fall(-line.slope * length, max(line.slope_error, usual) * length)


def fit_bent_fall(x: Floats, y: Floats, start: float, sigma: float = 0.0) -> Fall:
    """How far a parabola through the points (n,), n ≥ 4, falls from `start` to the last x.

    A straight line through a curve that fell and then settled falls to its end; a parabola may settle. The error is
    that of its own residuals, autocorrelation allowed for, or what the usual scatter `sigma` makes if larger.
    """
    u = x - x[-1]
    design = np.column_stack([u * u, u, np.ones_like(u)])
    inverse = np.linalg.pinv(design.T @ design)
    weights = inverse @ design.T @ y
    residual = y - design @ weights
    scatter = max(sigma, float(residual @ residual / (len(x) - 3)) ** 0.5) * memory_factor(residual)
    way = np.array([(start - x[-1]) ** 2, start - x[-1], 0.0])
    return Fall(float(way @ weights), scatter * float(way @ inverse @ way) ** 0.5)
