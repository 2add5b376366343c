"""One target under atheris: `python tests/fuzz/harness.py TARGET CORPUS [libFuzzer options]`.

Memory is measured here, for each input by itself: the hooks of atheris keep some of every input, which libFuzzer's own
limit would sooner or later take for ours.
"""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
with atheris.instrument_imports(include=["logdoctor", "logdoctor_parsers"]):
    from tests.fuzz.targets import TARGETS

MEGABYTES = 400  # for one input, beside about 100 of the interpreter and its libraries
STATUS = Path("/proc/self/status")
FORGET_PEAK = Path("/proc/self/clear_refs")


def main() -> None:
    """Fuzz until libFuzzer's options say stop."""
    warnings.simplefilter("ignore")  # a warning is no crash; the tests turn them into errors
    target = TARGETS[sys.argv.pop(1)]

    def one_input(data: bytes) -> None:
        before = memory("VmRSS")
        if before:
            FORGET_PEAK.write_text("5")
        target(data)
        needed = memory("VmHWM") - before
        if needed > MEGABYTES:
            raise MemoryError(f"{len(data)} bytes took {needed:.0f} MB")

    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


def memory(what: str) -> float:
    """Megabytes of this process as the kernel tells them; 0 where it does not (not Linux)."""
    found = re.search(rf"{what}:\s+(\d+) kB", STATUS.read_text()) if FORGET_PEAK.exists() else None
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
