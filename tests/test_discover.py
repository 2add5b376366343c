"""What is found under a path, and the reason given for everything that is not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logdoctor.discover import discover, is_report
from logdoctor.errors import LogDoctorError


def names(folder: Path) -> list[str]:
    return [os.path.relpath(file.name, folder) for file in discover([str(folder)]).files]


def test_files_come_in_a_stable_order_with_names_as_reached(tmp_path: Path) -> None:
    for name in ("b.log", "a/z.log", "a/b.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path) == ["a/b.log", "a/z.log", "b.log"]


def test_a_missing_path_is_one_sentence() -> None:
    with pytest.raises(LogDoctorError, match=r"nowhere\.log: no such file"):
        discover(["nowhere.log"])


def test_the_same_file_reached_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "b.log").symlink_to(tmp_path / "a.log")
    assert len(discover([str(tmp_path), str(tmp_path / "a.log")]).files) == 1


def test_former_reports_and_our_settings_are_never_read(tmp_path: Path) -> None:
    report = tmp_path / "logdoctor-report"
    report.mkdir()
    (report / "report.json").write_text('{"logdoctor": "0.1.0", "runs": []}')
    (report / "report.md").write_text("loss: 1")
    (tmp_path / "logdoctor.toml").write_text("")
    assert is_report(report)
    assert names(tmp_path) == []


def test_logs_beside_a_former_report_are_read(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"logdoctor": "0.1.0", "runs": []}')
    (tmp_path / "report.md").write_text("loss: 1")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "a.png").write_bytes(b"")
    (tmp_path / "a.log").write_text("x")
    assert names(tmp_path) == ["a.log"]


def test_a_folder_with_a_foreign_report_json_is_examined(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"other": 1}')
    assert not is_report(tmp_path)
    assert names(tmp_path) == ["report.json"]


def test_what_is_no_regular_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path)
    reasons = {Path(u.path).name: u.reason for u in discover([str(tmp_path)]).unread}
    assert "named pipe" in reasons["pipe"]
    assert "dangling" in reasons["dangling"]
    assert "link to a folder" in reasons["loop"]


def test_names_of_several_paths_are_relative_to_their_common_parent(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.log").write_text("x")
    assert discover([str(tmp_path / "x"), str(tmp_path / "y")]).root == tmp_path
