"""Precision, recall and F1 of every finding on synthetic logs whose truth is known.

    python tests/accuracy.py [--runs 40]      prints the table; --runs: seeded logs of each scenario

Each scenario writes CSV logs as a trainer would (epoch, train loss, validation loss, learning rate), with white,
autocorrelated or heavy-tailed noise, and states which findings are true of them, which may be said, and that all
others are false. The logs go the whole way: parser, run, schedule, analyzers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from synthetic import NOISES, settling, staircase  # noqa: E402

import logdoctor  # noqa: E402

Floats = npt.NDArray[np.float64]
Log = tuple[Floats, Floats | None, Floats | None]  # train loss, validation loss, learning rate; one value an epoch


@dataclass(frozen=True)
class Scenario:
    """A kind of log: how it is made (σ is a share of the total drop), what is true of it, what may be said as well."""

    make: Callable[[np.random.Generator, int], Log]
    true: frozenset[str]
    allowed: frozenset[str] = frozenset()
    sigma: float = 0.02
    epochs: tuple[int, int] = (40, 120)


def rates(*lengths: int) -> Floats:
    return np.concatenate([np.full(n, 0.1 * 0.1**i) for i, n in enumerate(lengths)])


def thirds(n: int) -> tuple[int, int, int]:
    return n // 3, n // 3, n - 2 * (n // 3)


def sound(rng: np.random.Generator, n: int) -> Log:
    """Falls, settles, and each drop comes when a third of its segment was flat."""
    lengths = thirds(n)
    heights = (1.0, 0.2, 0.04)
    parts = [h * settling(k) + sum(heights[i + 1 :]) for i, (k, h) in enumerate(zip(lengths, heights, strict=True))]
    train = 0.4 + np.concatenate(parts)
    return train, train + 0.05, rates(*lengths)


def flat_early(rng: np.random.Generator, n: int) -> Log:
    train = 0.4 + settling(n, rng.uniform(0.2, 0.4))
    return train, train + 0.05, rates(n)


def cut_short(rng: np.random.Generator, n: int) -> Log:
    train = 2.0 - np.linspace(0, 1.5, n) ** rng.uniform(0.7, 1.0)
    return train, train + 0.05, rates(n)


def late(rng: np.random.Generator, n: int) -> Log:
    lengths = (2 * n // 3, n - 2 * n // 3)
    train = np.concatenate([0.6 + settling(lengths[0], 0.3), 0.4 + 0.2 * settling(lengths[1], 0.7)])
    return train, train + 0.05, rates(*lengths)


def early(rng: np.random.Generator, n: int) -> Log:
    lengths = (n // 2, n - n // 2)
    train = staircase(*lengths, left=(rng.uniform(0.2, 0.4), 0.001), start=2.0)
    return train, train + 0.05, rates(*lengths)


def overfit(rng: np.random.Generator, n: int) -> Log:
    train, _, rate = sound(rng, n)
    best = int(n * rng.uniform(0.3, 0.6))
    rise = np.clip(np.arange(n) - best, 0, None) / (n - best) * rng.uniform(0.15, 0.5)
    return train, train[best] * 0.3 + 0.7 * np.maximum(train, train[best]) + 0.05 + rise, rate


def diverged(rng: np.random.Generator, n: int) -> Log:
    train, _, _ = sound(rng, n)
    at = n // 2
    train[at:] = train[0] * np.linspace(1.5, rng.uniform(3, 10), n - at)
    return train, train * 1.05, rates(n)


def turned_nan(rng: np.random.Generator, n: int) -> Log:
    train, val, rate = sound(rng, n)
    at = int(n * rng.uniform(0.4, 0.8))
    train[at:] = val[at:] = np.nan  # type: ignore[index]
    return train, val, rate


def stuck(rng: np.random.Generator, n: int) -> Log:
    level = np.full(n, np.log(rng.integers(2, 100)))
    return level, level.copy(), rates(n)


def spiked(rng: np.random.Generator, n: int) -> Log:
    train, val, rate = sound(rng, n)
    train[int(n * rng.uniform(0.4, 0.8))] += rng.uniform(0.9, 2.0)
    return train, val, rate


def swinging(rng: np.random.Generator, n: int) -> Log:
    train, _, _ = sound(rng, n)
    train = train + rng.uniform(0.15, 0.3) * rng.choice([-1.0, 1.0], n)
    return train, train + 0.05, rates(n)


def gap(rng: np.random.Generator, n: int) -> Log:
    train, _, rate = sound(rng, n)
    return train, np.maximum(train, 0.4 + rng.uniform(0.4, 0.7)) + 0.05, rate


def below(rng: np.random.Generator, n: int) -> Log:
    train, _, rate = sound(rng, n)
    return train, train - rng.uniform(0.15, 0.25), rate


def short(rng: np.random.Generator, n: int) -> Log:
    train = 0.4 + 1.6 * np.exp(-np.arange(n) / 4)
    return train, train + 0.05, rates(n)


ANY_DROP = frozenset({"late-drop", "early-drop"})
SOFT = frozenset({"still-improving", "plateau", "slow-learning"})
SCENARIOS: Mapping[str, Scenario] = {
    "sound": Scenario(sound, frozenset(), ANY_DROP),
    "sound, noisy": Scenario(sound, frozenset(), ANY_DROP | SOFT, sigma=0.05),
    "flat early": Scenario(flat_early, frozenset({"plateau"})),
    "cut short": Scenario(cut_short, frozenset({"still-improving"}), frozenset({"slow-learning"})),
    "late drop": Scenario(late, frozenset({"late-drop"})),
    "early drop": Scenario(early, frozenset({"early-drop"}), SOFT | {"late-drop"}),
    "overfit": Scenario(overfit, frozenset({"overfitting"}), ANY_DROP | {"generalization-gap"}),
    "diverged": Scenario(diverged, frozenset({"divergence"}), SOFT | {"overfitting", "loss-spike", "collapse"}),
    "turned NaN": Scenario(turned_nan, frozenset({"non-finite-loss"}), ANY_DROP | SOFT),
    "stuck": Scenario(stuck, frozenset({"not-learning"}), frozenset({"validation-below-training"}), sigma=0.001),
    "spiked": Scenario(spiked, frozenset({"loss-spike"}), ANY_DROP | SOFT),
    "swinging": Scenario(swinging, frozenset({"oscillation"}), ANY_DROP | SOFT | {"overfitting"}),
    "gap": Scenario(gap, frozenset({"generalization-gap"}), ANY_DROP | SOFT),
    "below": Scenario(below, frozenset({"validation-below-training"}), ANY_DROP | SOFT),
    "short": Scenario(short, frozenset({"too-short"}), SOFT, epochs=(4, 8)),
}


def write_log(path: Path, scenario: Scenario, seed: int) -> None:
    """One seeded CSV log of a scenario."""
    rng = np.random.default_rng([seed, len(path.parent.name)])
    n = int(rng.integers(*scenario.epochs))
    train, val, rate = scenario.make(rng, n)
    kind = list(NOISES.values())[seed % len(NOISES)]
    level = train[np.isfinite(train)]
    sigma = scenario.sigma * (level[0] - level[-1] if level[0] - level[-1] > 0.1 else 1.0)
    columns = {"train_loss": train + sigma * kind(rng, n)}
    if val is not None:
        columns["val_loss"] = val + 0.3 * sigma * kind(rng, n)
    if rate is not None:
        columns["lr"] = rate
    rows = [",".join(["epoch", *columns])]
    rows += [",".join([str(i), *(f"{c[i - 1]:.6g}" for c in columns.values())]) for i in range(1, n + 1)]
    path.write_text("\n".join(rows) + "\n")


def measure(runs: int) -> dict[str, tuple[int, int, int, int]]:
    """Finding → true positives, false positives, false negatives, true negatives over all scenarios."""
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, scenario in SCENARIOS.items():
            where = Path(folder, name.replace(" ", "_"))
            where.mkdir()
            for seed in range(runs):
                write_log(where / f"{seed:03}.csv", scenario, seed)
            for diagnosis in logdoctor.diagnose(where).runs:
                _count(counts, scenario, {finding.analyzer for finding in diagnosis.findings})
    return {name: (c[0], c[1], c[2], c[3]) for name, c in counts.items()}


def _count(counts: dict[str, list[int]], scenario: Scenario, said: set[str]) -> None:
    every = {name for s in SCENARIOS.values() for name in s.true}
    for name in every - (scenario.allowed - scenario.true):
        cell = {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}
        counts.setdefault(name, [0, 0, 0, 0])[cell[name in said, name in scenario.true]] += 1


def scores(counts: tuple[int, int, int, int]) -> tuple[float, float, float]:
    """Precision, recall, F1 (NaN where nothing was said, or nothing was there)."""
    tp, fp, fn, _ = counts
    precision = tp / (tp + fp) if tp + fp else float("nan")
    recall = tp / (tp + fn) if tp + fn else float("nan")
    return precision, recall, 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else float("nan")


def table(counts: Mapping[str, tuple[int, int, int, int]]) -> str:
    """The figures as a Markdown table."""
    lines = ["| finding | precision | recall | F1 | logs with / without |", "|---|---:|---:|---:|---:|"]
    for name, c in sorted(counts.items()):
        precision, recall, f1 = scores(c)
        lines.append(f"| `{name}` | {precision:.3f} | {recall:.3f} | {f1:.3f} | {c[0] + c[2]} / {c[1] + c[3]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--runs", type=int, default=40)
    print(table(measure(arguments.parse_args().runs)))
