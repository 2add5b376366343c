"""Settings files: logdoctor.toml, or the table [tool.logdoctor] of a pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logdoctor.errors import LogDoctorError
from logdoctor.options import (
    CONFIG_NAME,
    LEAST,
    MOST,
    NUMBERS,
    PROJECT_NAME,
    Ignore,
    Options,
    checked_limit,
    did_you_mean,
    shown,
)

TABLE = "tool.logdoctor"
PATTERN_KEYS = ("template", "name", "split")
IGNORE_KEYS = ("finding", "runs", "reason")
ROLES = ("train", "val", "lr", "val_metric")


def find_config(paths: Sequence[str]) -> Path | None:
    """The settings that hold for `paths`: those of the current folder, else those of the one folder examined.

    In each, logdoctor.toml comes before a pyproject.toml that has a table [tool.logdoctor].
    """
    folders = [Path(), *([Path(paths[0])] if len(paths) == 1 else [])]
    places = (folder / name for folder in folders for name in (CONFIG_NAME, PROJECT_NAME))
    return next((place for place in places if place.is_file() and _speaks_of_us(place)), None)


def _speaks_of_us(path: Path) -> bool:
    """Whether a settings file is meant for logdoctor; somebody else's broken pyproject.toml is no concern of ours."""
    if path.name != PROJECT_NAME:
        return True
    try:
        tools = tomllib.loads(path.read_text("utf-8")).get("tool")
    except (OSError, ValueError, RecursionError):
        return _names_us(path)
    return isinstance(tools, dict) and "logdoctor" in tools


def _names_us(path: Path) -> bool:
    try:
        return TABLE.encode() in path.read_bytes()
    except OSError:
        return False


def read_config(path: Path) -> Options:
    """Options from a settings file. Errors: LogDoctorError names the file, the key and the nearest known one."""
    content: Mapping[str, Any]
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LogDoctorError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # also of an integer with too many digits
        raise LogDoctorError(f"{path}: not valid TOML: {error}") from None
    if path.name == PROJECT_NAME:
        content = _table_of_tools(path, content)
    for key in content:
        if key not in CHECKS:
            raise LogDoctorError(f"{path}: unknown key {key!r}{did_you_mean(key, CHECKS)}")
    checked: dict[str, Any] = {key: CHECKS[key](path, key, value) for key, value in content.items()}
    return Options(**checked)


def _table_of_tools(path: Path, content: Mapping[str, Any]) -> Mapping[str, Any]:
    tools = content.get("tool", {})
    table = tools.get("logdoctor", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise LogDoctorError(f"{path}: write the settings of logdoctor as a table, [{TABLE}]")
    return table


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise LogDoctorError(f"{path}: {key} must be text, not {shown(value)}")
    return value


def _number(path: Path, key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not LEAST <= value <= MOST:
        raise LogDoctorError(f"{path}: {key} must be a number above 0, not {shown(value)}")
    return value


def _ignored(path: Path, key: str, value: object) -> tuple[Ignore, ...]:
    """Names of findings, or tables that also say of which runs and why."""
    if not isinstance(value, list):
        raise LogDoctorError(f"{path}: {key} must be a list of findings, or tables [[ignore]], not {shown(value)}")
    return tuple(_ignore(path, each) if isinstance(each, dict) else Ignore(_text(path, key, each)) for each in value)


def _ignore(path: Path, table: Mapping[str, object]) -> Ignore:
    texts = {name: _text(path, f"{name} of [[ignore]]", value) for name, value in table.items() if name in IGNORE_KEYS}
    unknown = next((name for name in table if name not in IGNORE_KEYS), None)
    if unknown is not None:
        raise LogDoctorError(f"{path}: unknown key {unknown!r} of [[ignore]]{did_you_mean(unknown, IGNORE_KEYS)}")
    if "finding" not in texts:
        raise LogDoctorError(f'{path}: say under [[ignore]] which finding: finding = "overfitting"')
    return Ignore(**texts)


def _limits(path: Path, key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    tables = _tables(path, value, "write limits as [limits.plateau] and then min_epochs = 20")
    return {
        finding: {name: checked_limit(f"{path}: {name} of [limits.{finding}]", number) for name, number in of.items()}
        for finding, of in tables.items()
    }


def _runs(path: Path, key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    tables = _tables(path, value, 'write what you know of a run as [runs."name"] and then dataset_size = 50000')
    for table in tables.values():
        for name, number in table.items():
            if name not in NUMBERS:
                raise LogDoctorError(f"{path}: unknown key {name!r} of a run{did_you_mean(name, NUMBERS)}")
            _number(path, name, number)
    return tables


def _tables(path: Path, value: object, advice: str) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise LogDoctorError(f"{path}: {advice}")
    return value


def _roles(path: Path, key: str, value: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise LogDoctorError(f'{path}: write what to judge by as [roles] and then val = "val/seg_loss"')
    roles: dict[str, tuple[str, ...]] = {}
    for role, tags in value.items():
        if role not in ROLES:
            raise LogDoctorError(f"{path}: unknown key {role!r} of [roles]{did_you_mean(role, ROLES)}")
        listed = tags if isinstance(tags, list) and tags else [tags]
        roles[role] = tuple(_text(path, f"{role} of [roles]", tag) for tag in listed)
    return roles


def _patterns(path: Path, key: str, value: object) -> tuple[Mapping[str, str], ...]:
    tables = value if isinstance(value, list) else [None]
    for table in tables:
        if not isinstance(table, dict) or "template" not in table:
            advice = 'write a pattern as [[pattern]] and then template = "Epoch {epoch} loss {loss}"'
            raise LogDoctorError(f"{path}: {advice}")
        for name, text in table.items():
            if name not in PATTERN_KEYS:
                raise LogDoctorError(f"{path}: unknown key {name!r} of a pattern{did_you_mean(name, PATTERN_KEYS)}")
            _text(path, f"{name} of a pattern", text)
    return tuple(tables)


CHECKS: Mapping[str, Callable[[Path, str, object], object]] = {
    "parser": _text, "pattern": _patterns, "ignore": _ignored, "limits": _limits, "runs": _runs, "roles": _roles,
    **dict.fromkeys((*NUMBERS, "max_gigabytes", "max_unpacking_ratio", "max_runs_per_file"), _number),
}  # fmt: skip
