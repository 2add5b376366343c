"""Fuzzing of every parser and of the way to the report: `python tests/fuzz/run.py --seconds 60 [TARGET ...]`.

The seconds are shared by the targets. Each starts from the sample logs and former findings; what breaks a promise (a
crash, 10 s for one input of at most 64 KiB, more than 512 MB) is kept in `tests/fuzz/findings/TARGET/`, where a test
replays it for ever, and the command exits 1. Needs the extra `fuzz`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FINDINGS = HERE / "findings"
LONGEST = 1 << 16  # bytes of an input
SEED_BYTES = 8192  # of each sample: small seeds mutate fast
SECONDS_AN_INPUT = 10
ROUND = 60  # seconds of one process: the hooks of atheris keep memory
MEGABYTES = 2048  # of one process; what a single input may take is watched in `harness.py`


def main() -> int:
    """Fuzz; the exit code is 1 with findings."""
    sys.path.insert(0, str(ROOT))
    from tests.fuzz.targets import TARGETS

    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--seconds", type=int, default=60, help="in all (default: 60)")
    arguments.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    arguments.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET", help=", ".join(TARGETS))
    given = arguments.parse_args()
    seconds = max(1, given.seconds // len(given.targets))
    broken = [name for name in given.targets if not fuzz(name, seconds, given.seed)]
    print(f"broken: {', '.join(broken)}" if broken else "no findings")
    return 1 if broken else 0


def fuzz(name: str, seconds: int, seed: int) -> bool:
    """Whether a target kept its promises for so long; what broke them is kept."""
    inputs = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus, artifacts = Path(folder, "corpus"), Path(folder, "artifacts")
        corpus.mkdir()
        artifacts.mkdir()
        plant(corpus)
        for started in range(0, seconds, ROUND):
            done = one_round(name, corpus, artifacts, min(ROUND, seconds - started), seed + started // ROUND)
            told = re.search(r"Done (\d+) runs", done.stderr)
            inputs += int(told[1]) if told else 0
            if done.returncode:
                break
        for artifact in artifacts.iterdir():
            keep(name, artifact.read_bytes())
    print(f"{name:20} {inputs:>8} inputs  {'BROKEN' if done.returncode else 'ok'}", flush=True)
    if done.returncode:
        print(done.stdout[-3000:], *done.stderr.splitlines()[-6:], sep="\n", flush=True)
    return done.returncode == 0


def one_round(name: str, corpus: Path, artifacts: Path, seconds: int, seed: int) -> subprocess.CompletedProcess[str]:
    """One process of libFuzzer, which adds to the corpus."""
    command = [
        sys.executable, str(HERE / "harness.py"), name, str(corpus), f"-artifact_prefix={artifacts}/", f"-seed={seed}",
        f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SECONDS_AN_INPUT}",
        f"-rss_limit_mb={MEGABYTES}",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)


def plant(corpus: Path) -> None:
    """Seeds: the beginning and the end of every sample log, and all former findings."""
    samples = [path for path in (ROOT / "sample_logs").rglob("*") if path.is_file()]
    for path in [*samples, *FINDINGS.rglob("*.bin")]:
        content = path.read_bytes()
        for part in {content[:SEED_BYTES], content[-SEED_BYTES // 4 :]}:
            (corpus / hashlib.sha256(part).hexdigest()[:16]).write_bytes(part)


def keep(name: str, content: bytes) -> None:
    """A finding as a regression file, named by its content."""
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hashlib.sha256(content).hexdigest()[:12]}.bin").write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
