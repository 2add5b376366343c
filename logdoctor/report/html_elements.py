"""HTML that is safe by construction: every text becomes an element's content escaped, whatever log it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from logdoctor.report.escape import plain

VOID = {"img", "input", "meta", "wbr"}
SHAPES = {"circle", "line", "path", "rect"}  # of SVG: they may close themselves
_PART_ENDS = re.compile(r"([/_.-]+)(?=\w)")
Attribute = str | int | float | bool | None


class Html(str):
    """Markup that stands as it is; any other `str` is text and is escaped."""

    __slots__ = ()


def text(value: str, limit: int = 0) -> Html:
    """Text as itself, without control characters, cut at `limit` letters (0: never); a space at its ends stays."""
    if isinstance(value, Html):
        return value
    before, after = " " * value[:1].isspace(), " " * value[1:][-1:].isspace()
    return Html(f"{before}{escape(plain(value, limit))}{after}")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Parts after each other, those without content left out."""
    return Html(text(between).join(text(part) for part in parts if part))


def element(name: str, /, *children: str, **attributes: Attribute) -> Html:
    """An element. `class_` and `data_x` stand for `class` and `data-x`; None and False leave an attribute out."""
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{opening}>")
    content = "".join(text(child) for child in children)
    return Html(f"<{opening}/>" if name in SHAPES and not content else f"<{opening}>{content}</{name}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{value if isinstance(value, Html) else text(str(value))}"'


def name(value: str) -> Html:
    """A run's name, which may be broken between its parts."""
    return Html(_PART_ENDS.sub(r"\1<wbr>", text(value)))


def code(value: str, limit: int = 0) -> Html:
    return element("code", text(value, limit))


def marked(value: str, limit: int = 0) -> Html:
    """Text in which backticks mark code, as analyzers write their advice; an odd one stands for itself."""
    pieces = plain(value, limit).split("`")
    if len(pieces) % 2 == 0:
        return text(value, limit)
    return Html("".join(code(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1, **attributes: Attribute) -> Html:
    """A table whose first `left` columns are text and the rest numbers."""
    head = element("tr", *(_cell("th", cell, column >= left, scope="col") for column, cell in enumerate(header)))
    body = [element("tr", *(_cell("td", cell, at >= left) for at, cell in enumerate(row))) for row in rows]
    inner = element("table", element("thead", head), element("tbody", *body), **attributes)
    return element("div", inner, class_="wide")


def _cell(name: str, content: str, is_number: bool, **attributes: Attribute) -> Html:
    return element(name, content, class_="number" if is_number else None, **attributes)


def folded(summary: str, *content: str, **attributes: Attribute) -> Html:
    """Content under a line that unfolds it; nothing where there is none."""
    inside = joined(content)
    return element("details", element("summary", summary), inside, **attributes) if inside else Html()
