"""A text log's bytes → its lines, whatever wrote them.

Encodings (UTF-8, UTF-16, GB18030, Latin-1), line ends (`\\n`, `\\r\\n`, `\\r\\r\\n`, bare `\\r`), progress bars that
overwrite themselves with carriage returns or backspaces, colours and cursor moves, NUL bytes after a machine crash, a
torn last line. Line numbers are those an editor shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from logdoctor_parsers.byte_lines import ByteLines
from logdoctor_parsers.contract import LogFile

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_WIDE_PART = re.compile(r"(?:[^\0\n]\0){8,}")  # UTF-16 that somebody appended
_ZEROS = re.compile(r"\0+")
_BEFORE_A_WORD = re.compile(r"(?m)^\0+(?=[^\W\d]|[\[({<*#\"'])")
_FIGURES = r"[-+.,:\d]*+(?:(?<=\d)[eE][-+]?+\d*+)?+"
_TORN_NUMBER = re.compile(rf"(?<![-+.,:\d]){_FIGURES}(?:(?<=\d)[A-Za-z]{{1,8}}+)?+(?:\ufffd{_FIGURES})++")
_CONTROL = re.compile(r"[\0-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_SIGN = "[\xa1-\xa7\xa9-\xb7\xb9-\xbf\xd7\xf7]"
_NO_WORD = re.compile(f"[\x80-\xff]{{2}}{_SIGN}|{_SIGN}[\x80-\xff]{{2}}")  # of a Western or Cyrillic encoding
_USUAL_ROWS = frozenset((*range(0xA1, 0xA4), *range(0xB0, 0xD8)))  # first bytes
_USUAL_SHARE = 0.9
_NO_ASCII, _WORDS = re.compile(r"[^\0-\x7f]+"), 10_000
_BACKSPACES = re.compile(r"\x08+")
_ZERO_BYTES = re.compile(rb"\0+")
_NO_TEXT = bytes({*range(256)} - {*range(32, 127), *b"\t\n\r\b\x1b"})
_TEXT_SHARE = 0.75  # of the bytes that are not NUL, in a damaged text
_FEW = 1  # bytes: too few to tell another encoding from damage
_BAR = re.compile(r"\d%\||\[[=>.#-]{4,}|\d(?:it/s|s/it)|\?it/s")
_TO_CLEAN = (b"\0", b"\x1b", b"\x08")


SAMPLE = 64 * 1024  # bytes searched for decimal commas
MIN_DECIMALS = 2  # numbers with a comma that show it to be a decimal one
POINTS_SHARE = 0.05  # of numbers with a point beside those with a comma
_BEFORE, _BEHIND = rb"(?<=[=:\s|(])(?<!\d\d:\d\d:)", rb"(?=[\s;|)%]|,\s|\.\s|$)"
_COMMA_NUMBER = re.compile(_BEFORE + rb"[-+]?\d+,\d+" + _BEHIND)
_POINT_NUMBER = re.compile(_BEFORE + rb"[-+]?\d+\.\d+" + _BEHIND)
_THOUSANDS = re.compile(rb"[-+]?[1-9]\d{0,2},\d{3}")
_DOCKER = re.compile(rb'\{"log": ?"')
_INNER_COMMA = re.compile(rb"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class TextLines:
    """The lines of a log.

    `texts[i]` stands on physical line `numbers[i]` (from 1); a physical line with carriage returns gives several texts,
    an overwritten progress bar only its last state. `physical`: lines an editor counts. `unterminated`: the file does
    not end with a line end, so its last line may be cut. `overwritten`: states of progress bars left out.
    """

    texts: ByteLines
    numbers: Sequence[int]
    physical: int
    unterminated: bool
    encoding: str
    overwritten: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return zip(self.numbers, self.texts, strict=True)


def read_lines(file: LogFile) -> TextLines:
    """All lines of a file. Errors: OSError, EOFError where it cannot be read."""
    return lines_of(file.read())


def lines_of(data: bytes, *, states: bool = False) -> TextLines:
    """The lines of a log's bytes; `states`: progress bars in all their states. Never fails."""
    text, encoding = _plain(data)
    if _has_decimal_commas(text[:SAMPLE]):
        text = _INNER_COMMA.sub(b".", text)
    if b"\r" not in text:
        lines = ByteLines(text, padded=False)
        unterminated = not text.endswith(b"\n") and len(lines) > 0
        return TextLines(lines, range(1, len(lines) + 1), len(lines), unterminated, encoding)
    rows = text.decode().split("\n")
    unterminated = bool(rows[-1])
    if not unterminated:
        rows.pop()
    texts: list[str] = []
    numbers: list[int] = []
    written = 0
    for number, row in enumerate(rows, 1):
        parts = [part for part in row.split("\r") if part and not part.isspace()]
        written += max(len(parts), 1)
        for shown in (parts if states else _shown(parts)) or [""]:
            texts.append(shown)
            numbers.append(number)
    lines = ByteLines("".join(f"{text}\n" for text in texts).encode())
    return TextLines(lines, numbers, len(rows), unterminated, encoding, written - len(texts))


def _has_decimal_commas(text: bytes) -> bool:
    """Whether decimals are told as in `0,42`: commas nearly everywhere, some where no thousands can be parted."""
    commas = _COMMA_NUMBER.findall(text)
    decimals = sum(_THOUSANDS.fullmatch(each) is None for each in commas)
    return decimals >= MIN_DECIMALS and len(_POINT_NUMBER.findall(text)) <= POINTS_SHARE * len(commas)


def _plain(data: bytes) -> tuple[bytes, str]:
    """The text as sound UTF-8 without colours, NULs and doubled line ends, and the encoding it had."""
    data = _unwrapped(data.rstrip(b"\0") if data.endswith(b"\0\0") else data)
    encoding = "utf-8"
    if not data.isascii() or any(octet in data for octet in _TO_CLEAN) or b"\n" not in data:
        text, encoding = decode(data)
        data = _clean(text).encode("utf-8", "replace")
    return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n") if b"\r" in data else data, encoding


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: by byte order mark, then UTF-8, GB18030, Latin-1.

    Zero bytes at the end, of which crashes leave up to gigabytes, are no part of it.
    """
    if data.endswith(b"\0\0"):
        data = data.rstrip(b"\0")
    data = _unwrapped(data)
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    if (wide := _wide(data[:4096])) is not None:
        return data.decode(wide, "replace"), wide
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # Most multi-byte characters are sound, or hardly a byte is no ASCII: UTF-8 with a few damaged places.
    if len(data) - len(text) > broken or broken <= _FEW:
        return text, "utf-8"
    for encoding, is_likely in _LIKELY.items():
        with suppress(UnicodeDecodeError):
            other = data.decode(encoding)
            if not _CONTROL.search(other) and is_likely(other):
                return other, encoding
    return text, "utf-8"  # no text of any kind throughout


def _is_chinese(text: str) -> bool:
    """Whether what is no ASCII is mostly GB 2312's signs and the 3,755 characters in common use, no bytes by chance."""
    words = "".join(found[0] for found in islice(_NO_ASCII.finditer(text), _WORDS))
    characters = [each.encode("gb18030") for each in words]
    usual = sum(each[0] in _USUAL_ROWS and each[1] > 0xA0 for each in characters if len(each) == 2)
    return usual >= _USUAL_SHARE * len(characters)


def _is_western(text: str) -> bool:
    """Whether letters and signs stand as in words of a Western or Cyrillic language."""
    return _NO_WORD.search(text) is None


_LIKELY = {"gb18030": _is_chinese, "latin-1": _is_western}  # encodings to try, and whether text can be in it


def _unwrapped(data: bytes) -> bytes:
    """The lines that Docker's `json-file` driver keeps as `{"log": "…\\n", "stream": …}`; others as they are."""
    return b"\n".join(map(_logged, data.split(b"\n"))) if is_wrapped(data) else data


def is_wrapped(data: bytes) -> bool:
    """Whether a file's lines are kept as Docker's `json-file` driver does."""
    return _DOCKER.match(data) is not None


def _logged(line: bytes) -> bytes:
    try:
        said = json.loads(line)["log"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return line
    return str(said).rstrip("\n").replace("\n", " ").encode("utf-8", "replace")


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text: NUL bytes at many places, or too little else that text is made of.

    A text that a crash or a disk has damaged holds NUL bytes too, but at few places and among lines of text.
    """
    if b"\0" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    if _wide(head[:4096]) is not None:
        return False
    runs = len(_ZERO_BYTES.findall(head))
    told = len(head) - head.count(b"\0")
    readable = len(head.translate(None, _NO_TEXT))
    return b"ustar" in head[257:263] or runs > 2 + len(head) // 256 or readable < _TEXT_SHARE * told


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Western text is NUL."""
    half = len(head) // 2
    if half < 8:
        return None
    odd, even = head[1::2].count(0), head[::2].count(0)
    if odd > 0.8 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.8 * half and odd < 0.1 * half else None


def mark_zeros(text: str) -> str:
    """NUL bytes, which crashes and disks leave instead of text, as `\ufffd`: what they part never grows together."""
    text = _WIDE_PART.sub(lambda part: part[0].replace("\0", ""), text.rstrip("\0"))
    return _ZEROS.sub("\ufffd", _BEFORE_A_WORD.sub("", text))


def _clean(text: str) -> str:
    if "\0" in text:
        text = mark_zeros(text)
    if "\ufffd" in text:
        text = _TORN_NUMBER.sub("\ufffd", text)  # what is left of a number is none
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if "\x08" in text:
        text = _BACKSPACES.sub("\r", text)
    if "\r" in text and "\n" not in text:  # an old line end, or one bar from start to end
        text = text.replace("\r", "\n")
    return text


def _shown(parts: list[str]) -> list[str]:
    """What counts of the parts between carriage returns: bars in their last state or when complete, all other text."""
    return [part for part in parts[:-1] if "100%|" in part or not _BAR.search(part)] + parts[-1:]
