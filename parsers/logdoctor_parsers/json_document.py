"""Rows of a JSON document that is not one object a line: an array of objects, objects by epoch, rows under a name."""

from __future__ import annotations

from dataclasses import dataclass

from logdoctor_parsers.json_stream import Part, read_parts
from logdoctor_parsers.names import SPLITS
from logdoctor_parsers.record_table import tells_metric


@dataclass(frozen=True)
class Row:
    """One object of the document and the name it goes by: `"12"` in `{"12": {…}}`, `train` in `{"train": [{…}, …]}`."""

    part: Part
    name: str = ""

    @property
    def epoch(self) -> float | None:
        """The epoch a name such as `12` or `epoch_12` says."""
        digits = self.name.lower().removeprefix("epoch").strip("_ -")
        return float(digits) if digits.isdecimal() and digits.isascii() else None

    @property
    def role(self) -> str:
        return self.name if self.name.lower() in SPLITS else ""


def read_document(text: str, *, alone: bool = False) -> tuple[list[Row], bool]:
    """All rows of a text, and whether it is complete (a document cut off gives the rows before the cut).

    `alone`: the text may be a single row.
    """
    rows: list[Row] = []
    at, complete = _next_bracket(text, 0), True
    values = 0
    while at >= 0 and complete:
        parts, complete = read_parts(text, at)
        end = _end_of(text, at, parts) if complete else at
        whole = Part("", {part.key: part.value for part in parts}, at, end) if text[at] == "{" else None
        found = _rows_among(text, parts) or [row for part in parts for row in _points(text, part)]
        rows += found or ([Row(whole)] if whole is not None and complete else [])
        values += 1
        at = _next_bracket(text, end) if complete else -1
    return (rows if alone or values > 1 or len(rows) > 1 else []), complete


def _points(text: str, part: Part) -> list[Row]:
    """The points of a series told as lists: `"loss": {"steps": [1, 2], "values": [0.9, 0.8]}` (Sacred), or as pairs."""
    if isinstance(part.value, list):
        return _pairs(text, part)
    if not isinstance(part.value, dict) or not {"steps", "values"} <= part.value.keys():
        return []
    members = {member.key: member for member in read_parts(text, part.start)[0]}
    steps, values = members["steps"], members["values"]
    if not (isinstance(steps.value, list) and isinstance(values.value, list) and steps.value):
        return []
    return [
        Row(Part("", {part.key: value.value, "step": step}, value.start, value.end))
        for step, value in zip(steps.value, read_parts(text, values.start)[0], strict=False)
    ]


def _pairs(text: str, part: Part) -> list[Row]:
    """`"loss": [[1, 0.9], [2, 0.8]]`: step and value, or (tensorboardX) time, step and value."""
    elements = read_parts(text, part.start)[0] if tells_metric(part.key) else []
    widths = {len(each.value) if _are_numbers(each.value) else 0 for each in elements}
    if len(elements) < 2 or widths not in ({2}, {3}):
        return []
    rows = []
    for each in elements:
        *time, step, value = each.value
        point = {part.key: value, "step": step, **({"wall_time": time[0]} if time else {})}
        rows.append(Row(Part("", point, each.start, each.end)))
    return rows


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and {type(each) for each in value} <= {int, float}


def _next_bracket(text: str, start: int) -> int:
    rest = text[start:].lstrip(" \t\r\n,\ufeff")
    return len(text) - len(rest) if rest[:1] in ("{", "[") else -1


def _end_of(text: str, start: int, parts: list[Part]) -> int:
    """Behind the bracket that closes what opens at `start`."""
    closer = "}" if text[start] == "{" else "]"
    return text.index(closer, parts[-1].end if parts else start) + 1


def _rows_among(text: str, parts: list[Part]) -> list[Row]:
    """The rows that elements or members are, or, one level down, hold."""
    objects = [Row(part, part.key) for part in parts if isinstance(part.value, dict)]
    counted = all(row.name == "" or row.epoch is not None for row in objects)
    if len(objects) > 1 and 2 * len(objects) >= len(parts) and counted:
        return objects
    held: list[Row] = []
    for part in parts:
        if text[part.start : part.start + 1] == "[":
            inner = [each for each in read_parts(text, part.start)[0] if isinstance(each.value, dict)]
            held += [Row(each, part.key) for each in inner] if len(inner) > 1 else []
    return held
