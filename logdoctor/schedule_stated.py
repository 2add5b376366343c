"""A schedule as the log states it: Caffe's solver prints its policy, so kind and drops are known exactly.

Policies as in BVLC/caffe src/caffe/solvers/sgd_solver.cpp: fixed base · step base·γ^⌊n/step⌋ · exp base·γ^n ·
inv base·(1 + γ·n)^−power · multistep base·γ^(step values passed) · poly base·(1 − n/max_iter)^power ·
sigmoid base/(1 + exp(−γ·(n − step))), which rises with γ > 0. n counts updates done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor.run import Axis, Curve, RunFact
from logdoctor.schedule_levels import Change, Shape, clean, resolution

Floats = npt.NDArray[np.float64]

KINDS = {"fixed": "constant", "step": "step", "multistep": "multistep", "exp": "exponential", "inv": "inverse-time",
         "poly": "poly", "sigmoid": "sigmoid"}  # fmt: skip
NEEDED = {"fixed": (), "step": ("gamma", "stepsize"), "multistep": ("gamma", "stepvalue"), "exp": ("gamma",),
          "inv": ("gamma", "power"), "poly": ("power", "max_iter"), "sigmoid": ("gamma", "stepsize")}  # fmt: skip
AGREES = 1e-3  # relative: a logged rate this near to the stated policy's agrees with it
MOSTLY = 0.95  # share of logged rates that must agree (a resumed run may repeat a few)


@dataclass(frozen=True)
class _Policy:
    """A solver's policy and its numbers; `stepvalue` ascending."""

    name: str
    base: float
    numbers: Mapping[str, float]
    stepvalue: tuple[float, ...] = ()

    def rate(self, n: Floats) -> Floats:
        """The rate used by the update after n updates."""
        gamma, power = self.numbers.get("gamma", 1.0), self.numbers.get("power", 1.0)
        size, total = self.numbers.get("stepsize", 1.0), self.numbers.get("max_iter", math.inf)
        with np.errstate(over="ignore"):
            factors: dict[str, Callable[[], Any]] = {
                "fixed": lambda: np.ones_like(n),
                "step": lambda: gamma ** np.floor(n / size),
                "multistep": lambda: gamma ** np.searchsorted(self.stepvalue, n, side="right"),
                "exp": lambda: gamma**n,
                "inv": lambda: (1 + gamma * n) ** -power,
                "poly": lambda: np.maximum(1 - n / total, 0) ** power,
                "sigmoid": lambda: 1 / (1 + np.exp(-gamma * (n - size))),
            }
            return self.base * np.asarray(factors[self.name](), np.float64)

    def jumps(self, end: float) -> list[float]:
        """Updates done at each jump before `end`."""
        if self.name == "step":
            size = self.numbers["stepsize"]
            return [size * (k + 1) for k in range(int(min(end / size, 10_000)))]
        return [value for value in self.stepvalue if value < end]


def stated_shape(facts: Mapping[str, RunFact], axis: Axis, end: float, logged: Curve | None) -> Shape | None:
    """The stated schedule, if complete, on the run's axis, and not contradicted by the logged rate; else None."""
    policy = _policy(facts)
    place = _scale(axis, logged)
    if policy is None or place is None or (logged is not None and not _agrees(policy, logged)):
        return None
    jumps = [at for at in policy.jumps(end * place) if at < end * place]
    rates = clean(policy.rate(np.array([0.0, *jumps])))
    changes = tuple(
        Change(at / place, float(a), float(b)) for at, (a, b) in zip(jumps, pairwise(rates), strict=True) if a != b
    )
    if policy.name in ("step", "multistep") and not changes:
        return Shape("constant", {"base": policy.base, "planned": policy.name})
    return Shape(_kind(policy), _parameters(policy, changes, place), changes=changes)


def _policy(facts: Mapping[str, RunFact]) -> _Policy | None:
    name = str(facts["lr_policy"].value).strip("\"' ") if "lr_policy" in facts else ""
    base = _number(facts, "base_lr")
    if name not in KINDS or base is None:
        return None
    numbers = {key: _number(facts, key) for key in ("gamma", "power", "stepsize", "max_iter")}
    known = {key: number for key, number in numbers.items() if number is not None}
    values = _numbers(facts["stepvalue"].value) if "stepvalue" in facts else ()
    if not all(key in known or (key == "stepvalue" and values) for key in NEEDED[name]):
        return None
    return _Policy(name, base, known, values if name == "multistep" else ())


def _number(facts: Mapping[str, RunFact], name: str) -> float | None:
    found = _numbers(facts[name].value) if name in facts else ()
    return found[0] if found else None


def _numbers(value: Any) -> tuple[float, ...]:
    """Finite numbers of a fact: one, a list, or text with commas."""
    parts = value.strip("[]()").replace(",", " ").split() if isinstance(value, str) else value
    try:
        found = tuple(sorted(float(part) for part in (parts if isinstance(parts, list | tuple) else [parts])))
    except (TypeError, ValueError):
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def _scale(axis: Axis, logged: Curve | None) -> float | None:
    """Updates per unit of x; None where unknown."""
    if axis.unit == "step":
        return 1.0
    if axis.unit == "epoch" and axis.steps_per_epoch:
        return axis.steps_per_epoch
    if logged is None:
        return None
    both = np.isfinite(logged.step) & (logged.x > 0) & (logged.step > 0)
    return float(np.median(logged.step[both] / logged.x[both])) if both.any() else None


def _agrees(policy: _Policy, logged: Curve) -> bool:
    """Whether logged rates are those of the policy, at the step of their line or one before (old logs count from 1)."""
    known = np.isfinite(logged.step)
    if not known.any():
        return False
    step, value = logged.step[known], clean(logged.value[known])
    slack = AGREES * np.abs(value) + resolution(value)
    near = [np.abs(policy.rate(np.maximum(step - late, 0)) - value) <= slack for late in (0, 1)]
    return bool(np.mean(near[0] | near[1]) >= MOSTLY)


def _kind(policy: _Policy) -> str:
    return "linear" if policy.name == "poly" and policy.numbers["power"] == 1 else KINDS[policy.name]


def _parameters(policy: _Policy, changes: tuple[Change, ...], place: float) -> dict[str, float | str | list[float]]:
    """The policy's numbers in units of the axis, named as those of a recognised schedule."""
    numbers = policy.numbers
    own: dict[str, dict[str, float | str | list[float]]] = {
        "fixed": {},
        "step": {"gamma": numbers.get("gamma", 1.0), "length": numbers.get("stepsize", 0.0) / place},
        "multistep": {"gamma": numbers.get("gamma", 1.0), "milestones": [change.at for change in changes]},
        "exp": {"gamma": float(numbers.get("gamma", 1.0) ** place)},
        "inv": {"decay": numbers.get("gamma", 0.0) * place, "power": numbers.get("power", 1.0)},
        "poly": {"power": numbers.get("power", 1.0), "total": numbers.get("max_iter", 0.0) / place},
        "sigmoid": {"gamma": numbers.get("gamma", 0.0) * place, "centre": numbers.get("stepsize", 0.0) / place},
    }
    return {"base": policy.base, **own[policy.name]}
