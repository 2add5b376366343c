"""Tells files that logdoctor wrote: they are never read as logs, and only they are ever overwritten."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HEAD_BYTES = 4096
MOST_BYTES = 1 << 30  # of a report.json
_STARTS = (
    re.compile(rb'\{\s*"schema":\s*\d+,\s*"logdoctor":\s*"'),
    re.compile(rb'<!doctype html>\s*<html[^>]*><head>.{,1000}<meta name="generator" content="logdoctor ', re.DOTALL),
    re.compile(rb'<\?xml[^>]*>\s*<testsuites name="logdoctor"'),
    re.compile(rb"run,attempt,metric,split,tag,step,epoch,wall_time,value,source,line\r?\n"),
    re.compile(rb'\{"run":"[^\n]{0,2000}","attempt":\d+,"metric":"[^\n]{0,2000}","split":"'),
)


def is_own(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a JSON, HTML or JUnit report, or an exported table, of ours."""
    return any(start.match(head[:HEAD_BYTES]) for start in _STARTS)


def read_report(path: Path) -> dict[str, Any] | None:
    """A report.json that logdoctor wrote; None for anything else, or nothing, at `path`: pipes are not opened."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and "logdoctor" in content else None
