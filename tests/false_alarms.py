"""How often a sound run raises an alarm: seeded synthetic curves with white, autocorrelated and heavy-tailed noise.

    python tests/false_alarms.py [--curves 500] [--longest 100000] [--sigma 0.02]

prints, for every finding and kind of noise, the share of sound runs it was said of: firm, and firm or tentative. The
curves have 10 points to the longest; those of over 100 are taken for steps, shorter ones for epochs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from synthetic import NOISES, Noise, healthy  # noqa: E402

from logdoctor.analyzers import ANALYZERS  # noqa: E402
from logdoctor.case import Case  # noqa: E402
from logdoctor.finding import CannotJudgeError, Finding  # noqa: E402

LENGTHS = (10, 30, 100, 1000, 5000, 20_000, 100_000)
SIGMA = 0.02  # of the total drop
MOST_EPOCHS = 100
BY_DESIGN = ("too-short",)  # true of the shortest curves


def findings(case: Case) -> Iterator[Finding]:
    """What is said of a case, apart from what is true of it."""
    for analyzer in ANALYZERS:
        try:
            found = analyzer.analyze(case)
        except CannotJudgeError:
            continue
        if found is not None and found.analyzer not in BY_DESIGN:
            yield found


def alarms(kind: Noise, curves: int, lengths: Sequence[int], sigma: float = SIGMA) -> Counter[tuple[str, bool]]:
    """(finding, firm) → of how many of the seeded sound runs it was said."""
    counts: Counter[tuple[str, bool]] = Counter()
    for seed in range(curves):
        n = lengths[seed % len(lengths)]
        case = healthy(n, seed, kind, sigma=sigma, unit="epoch" if n <= MOST_EPOCHS else "step")
        counts.update((found.analyzer, found.firm) for found in findings(case))
    return counts


def table(counts: dict[str, Counter[tuple[str, bool]]], curves: int) -> str:
    """The rates as a Markdown table: firm / firm or tentative."""
    lines = ["| finding | " + " | ".join(counts) + " |", "|---" * (len(counts) + 1) + "|"]
    for name in sorted({finding for counted in counts.values() for finding, _firm in counted}):
        rates = ((c[name, True] / curves, (c[name, True] + c[name, False]) / curves) for c in counts.values())
        lines.append(f"| `{name}` | " + " | ".join(f"{firm:.1%} / {either:.1%}" for firm, either in rates) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=500)
    parser.add_argument("--longest", type=int, default=100_000)
    parser.add_argument("--sigma", type=float, default=SIGMA)
    arguments = parser.parse_args()
    chosen = [n for n in LENGTHS if n <= arguments.longest]
    said = {name: alarms(kind, arguments.curves, chosen, arguments.sigma) for name, kind in NOISES.items()}
    print(f"{arguments.curves} sound runs a kind of noise, of {chosen[0]:,} to {chosen[-1]:,} points; firm / any")
    print(table(said, arguments.curves))
