"""Asks the advisory database about what is installed of our dependencies; "skipped" where it does not answer.

Exits with 1 only where an advisory is known. 60 seconds at most, the installation of pip-audit included.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 60


def main() -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        tool, found = f"{folder}/tool", Path(folder, "found.json")
        packages = sysconfig.get_path("purelib")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", tool, "pip-audit"]
        audit = [sys.executable, "-m", "pip_audit", "--path", packages, "--format", "json", "--output", str(found)]
        end = time.monotonic() + SECONDS
        if run(install, end) == 0:
            run(audit, end, {"PYTHONPATH": tool})
        told = json.loads(found.read_text("utf-8")) if found.exists() and found.stat().st_size else None
    if told is None:
        print("skipped: pip-audit or its database cannot be reached")
        return 0
    known = advisories(told, our_dependencies())
    print("\n".join(known) or "no advisory on our dependencies")
    return 1 if known else 0


def run(command: list[str], end: float, more: Mapping[str, str] = MappingProxyType({})) -> int:
    """The exit code; -1 where the command was stopped at `end`, with all that it had started."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**os.environ, **more}}
    process = subprocess.Popen(command, start_new_session=True, **quiet)  # type: ignore[call-overload]
    try:
        return int(process.wait(max(0.1, end - time.monotonic())))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return -1


def our_dependencies() -> set[str]:
    """The names in `project.dependencies`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {match[0].lower() for line in project["dependencies"] if (match := re.match(r"[\w.-]+", line))}


def advisories(told: dict[str, list[dict[str, object]]], names: set[str]) -> list[str]:
    """A line for each advisory on a package of these names, from pip-audit's JSON."""
    return [
        f"{package['name']} {package['version']}: {each['id']}"
        for package in told["dependencies"]
        if str(package["name"]).lower() in names
        for each in package.get("vulns", ())  # type: ignore[attr-defined]
    ]


if __name__ == "__main__":
    sys.exit(main())
