"""Tells files that logdoctor wrote: they are never read as logs, and only they are ever overwritten."""

from __future__ import annotations

import re

HEAD_BYTES = 4096
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
