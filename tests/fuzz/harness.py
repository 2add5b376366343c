"""One target under atheris: `python tests/fuzz/harness.py TARGET CORPUS [libFuzzer options]`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
with atheris.instrument_imports(include=["logdoctor", "logdoctor_parsers"]):
    from tests.fuzz.targets import TARGETS

warnings.simplefilter("ignore")  # a warning is no crash; the tests turn them into errors
target = TARGETS[sys.argv.pop(1)]
atheris.Setup(sys.argv, lambda data: target(data))
atheris.Fuzz()
