"""Text from logs and file names made safe for GitHub-flavoured Markdown.

A log may hold anything: pipes that break tables, backticks, angle brackets, terminal colours, text that reads from
right to left. Whatever it is, it is shown as itself and changes nothing around it.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SPECIAL = re.compile(r"([\\`*\[\]|~$])")
_TAG_OPENS = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_EMPHASIS = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
# An address would become a link, and swallow the backslash that keeps the next bracket from opening a tag.
_ADDRESS, _WWW = re.compile(r"(?i)(https?|ftp)://"), re.compile(r"(?i)(www)\.")
_LINE_START = re.compile(r"^(?=[#>+=-])")
_LIST_NUMBER = re.compile(r"^(\d+)(?=[.)](?:\s|$))")
_BACKTICKS = re.compile(r"`+")
_COMMAND = re.compile(r"(?m)^([ \t]*)(?=::)|(##)(?=\[)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


def plain(text: str, limit: int = 0) -> str:
    """One line without control characters; longer than `limit` (0: any length) it ends in an ellipsis."""
    line = " ".join(_INVISIBLE.sub(_visible, re.sub(r"\s+", " ", text)).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shortened(name: str, limit: int) -> str:
    """A name of at most `limit` letters, without its middle: names differ at their ends."""
    line = plain(name)
    kept = limit - 1
    return line if len(line) <= limit else f"{line[: kept // 3]}…{line[kept // 3 - kept :]}"


def visible(text: str) -> str:
    """Text for a terminal: control characters are shown instead of obeyed, blanks stay."""
    return _INVISIBLE.sub(_visible, text)


def verbatim(line: str, limit: int) -> str:
    """A log's line with its indentation, cut at `limit` characters."""
    text = visible(line.expandtabs(4).rstrip())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def inert(text: str) -> str:
    """Lines for standard output, none of them a command to GitHub Actions (`::error::…`), which a name could be."""
    return _COMMAND.sub(lambda found: f"{found[0]}\\", text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def prose(text: str, limit: int = 0) -> str:
    """Text as it stands, anywhere in Markdown: in a paragraph, a list or a table's cell."""
    return _at_start(_escaped(plain(text, limit)))


def marked(text: str, limit: int = 0) -> str:
    """Prose in which backticks mark code, as analyzers write their advice; an odd one stands for itself."""
    pieces = plain(text, limit).split("`")
    if len(pieces) % 2 == 0:
        return prose(text, limit)
    return _at_start("".join(code(piece) if index % 2 else _escaped(piece) for index, piece in enumerate(pieces)))


def _escaped(line: str) -> str:
    line = _TAG_OPENS.sub(r"\\<", _SPECIAL.sub(r"\\\1", line))
    line = _EMPHASIS.sub(r"\\_", _ENTITY.sub("&amp;", line))
    return _WWW.sub(r"\1\\.", _ADDRESS.sub(r"\1:\\//", line))


def _at_start(line: str) -> str:
    """Also harmless where a line begins: neither heading, nor quotation, nor list."""
    return _LIST_NUMBER.sub(r"\1\\", _LINE_START.sub(r"\\", line))


def code(text: str, limit: int = 0, *, cell: bool = False) -> str:
    """A code span; in a table's `cell` pipes are escaped, elsewhere a backslash would show."""
    line = plain(text, limit) or " "
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    span = f"{fence}{pad}{line}{pad}{fence}"
    return span.replace("|", r"\|") if cell else span


def block(lines: tuple[str, ...], limit: int = 200) -> str:
    """A fenced block of log lines, each cut at `limit` characters."""
    shown = [verbatim(line, limit) for line in lines]
    longest = max((len(run) for line in shown for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def slug(heading: str) -> str:
    """The anchor GitHub and GitLab give a heading with this text."""
    return _NOT_IN_SLUG.sub("", heading.strip().lower()).replace(" ", "-")
