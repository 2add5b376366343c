"""Caffe's console log: BVLC from 2014 to 1.0, SSD, NVIDIA and Intel Caffe, DIGITS, py-faster-rcnn.

Steps are Caffe's iterations: optimizer updates done before the line was written. Times are glog's; `caffe_clock` says
whence the year comes, `caffe_series` how series are named, `caffe_facts` what is stated of a run.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import numpy as np

from logdoctor_parsers.caffe_facts import facts_of
from logdoctor_parsers.caffe_log import Log, read_log
from logdoctor_parsers.caffe_messages import ending
from logdoctor_parsers.caffe_series import add_rows
from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, Problem, first_problems
from logdoctor_parsers.table_builder import TableBuilder

SOURCES = re.compile(
    rb"(?:\b(?:caffe|sgd_solver|solver|upgrade_proto)\.cpp|layer_factory\.hpp)(?::\d+\]| : line \d+ :)"
)
NUMBERS = re.compile(rb"\bIteration \d+[^\n]*, (?:lr = |Testing net)|\b(?:Train|Test) net output #\d+: ")
GLOG_LINE = re.compile(rb"(?:\[\d+\] )?[IWEF]\d")
# What an unterminated last line may end with and still be whole.
WHOLE = re.compile(
    rb"(?:Optimization Done\b.*|loss\)|Testing net \(#\d+\)|\.caffemodel|\.solverstate|\.h5|from start\.)\s*$"
)
VALUE = re.compile(rb"(\S+ = )([-+.\w()#]+)\s*$")
SHOWN_DIGITS = 6  # significant digits Caffe prints
TAIL_LINES, TAIL_BYTES, SAMPLE_BYTES = 12, 4000, 4000
LINES_AFTER = 2  # shown after the line that tells why a run crashed


@dataclass(frozen=True)
class CaffeParser:
    """Reads a Caffe log into the common table; the module's documentation tells tags, facts and times."""

    name: str = "caffe"
    description: str = "Caffe solver logs (BVLC, SSD, NVIDIA, Intel, DIGITS, py-faster-rcnn)"

    def sniff(self, file: LogFile) -> Match:
        """SURE where Caffe's own sources name themselves, MAYBE where its messages stand alone."""
        head = _decoded(file.head)
        if SOURCES.search(head):
            return Match.SURE
        return Match.MAYBE if len(NUMBERS.findall(head)) > 1 else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        """Everything in the file. Errors: OSError where it cannot be read."""
        data = _decoded(file.read())
        body, cut = _whole_lines(data)
        log = read_log(body, file)
        rest = data[len(body) :]
        lines = log.lines + rest.count(b"\n") + (rest[-1:] not in (b"", b"\n"))
        closing = _ending(log, cut)
        tail = _tail(data, lines - closing.line - LINES_AFTER if closing.kind == "crashed" else 0)
        facts, dialect = tuple(facts_of(log, body)), _dialect(log, body)
        del data, body  # as much memory as all that follows takes
        builder = TableBuilder()
        problems = [*log.problems, *add_rows(builder, log), *first_problems(log.unreadable), *cut]
        table = builder.build()
        return ParsedLog(
            self.name,
            table,
            facts=facts,
            problems=tuple(problems),
            lines=lines,
            data=int(np.count_nonzero(np.diff(table.line, prepend=0))),
            unreadable=len(log.unreadable) + len(cut),
            starts=tuple(log.messages.starts),
            ending=closing,
            tail=tail,
            dialect=dialect,
            checkpoints=tuple(log.messages.checkpoints),
        )


PARSER = CaffeParser()


def _decoded(data: bytes) -> bytes:
    """UTF-8 (or ASCII) as it is; UTF-16, which PowerShell's `>` writes, re-encoded."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace").encode()
    return data


def _whole_lines(data: bytes) -> tuple[bytes, list[Problem]]:
    """The file without an unfinished last line, and the problem that tells of it."""
    body = data.rstrip(b"\0")
    start = body.rfind(b"\n") + 1
    last = body[start:]
    if len(body) < len(data):
        lost = f"the file ends in {len(data) - len(body)} zero bytes: the machine stopped while writing"
    elif not last or not (GLOG_LINE.match(last) or last.startswith(b"  ")) or _is_whole(last, body[:start]):
        return body, []
    else:
        lost = f"the last line is cut off: {last.decode('utf-8', 'replace')[-80:]!r}"
    return body[:start], [Problem(body.count(b"\n") + 1, lost)]


def _is_whole(last: bytes, before: bytes) -> bool:
    """Whether a line without line feed can be trusted: closed by its own words, or by a number that cannot go on."""
    value = VALUE.search(last)
    if value is None:
        return WHOLE.search(last) is not None
    figures = re.sub(rb"e.*|\D", b"", value[2]).lstrip(b"0")
    if len(figures) >= SHOWN_DIGITS:
        return True
    earlier = [found.rstrip() for found in re.findall(rb" " + re.escape(value[1]) + rb"([^\s]+\s)", before)]
    return value[2] in earlier and len(value[2]) >= max(map(len, earlier))  # as long as this value ever was


def _ending(log: Log, cut: list[Problem]) -> Ending:
    """How the last process closes: by its own words, else torn where the last line is."""
    told = ending(log.messages.closings, max(log.messages.starts, default=0), log.last_line)
    if told.kind == "open" and cut:
        return Ending("torn", cut[-1].line, cut[-1].message)
    return told


def _tail(data: bytes, behind: int) -> tuple[str, ...]:
    """The last lines but for those `behind` the crash: a stack of addresses says nothing of why it came."""
    shown = data[-TAIL_BYTES:].rstrip(b"\0\r\n")  # to strip all of the file would copy it
    end = max(0, len(data) - TAIL_BYTES) + len(shown) if shown else len(data.rstrip(b"\0\r\n"))
    for _ in range(max(0, behind)):
        end = max(0, data.rfind(b"\n", 0, end))
    return tuple(data[max(0, end - TAIL_BYTES) : end].decode("utf-8", "replace").splitlines()[-TAIL_LINES:])


def _dialect(log: Log, body: bytes) -> str:
    """Which Caffe wrote the log, as far as its wording shows."""
    if log.messages.version:
        return log.messages.version
    first = body.find(b", loss = ")
    sample = body[max(first - SAMPLE_BYTES, 0) : first + SAMPLE_BYTES]
    marks = (
        (bool(np.isfinite(log.iterations.epoch).any()), "NVCaffe 0.17"),
        (bool((log.iterations.rank >= 0).any()), "Intel Caffe, several nodes"),
        (any(label.name == "detection_eval" for label in log.labels), "SSD"),
        (b"/s), lr = " in sample, "NVCaffe 0.12 or 0.13"),
        (b" iter), loss = " in sample, "NVCaffe"),
        (b" iters), loss = " in sample, "BVLC rc4 or later"),
        (any(label.name.startswith("Test score") for label in log.labels), "BVLC before rc"),
    )
    return next((name for holds, name in marks if holds), "BVLC rc to rc3, or a fork of it")
