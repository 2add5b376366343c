"""What logdoctor depends on and talks to: few named packages, no network, no secret in what is published."""

from __future__ import annotations

import re
import runpy
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from logdoctor.cli import cli
from logdoctor.masking import masked

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_logs"
TEXTS = (".py", ".md", ".toml", ".cfg", ".yml", ".yaml", ".json", ".txt", ".csv", ".log", ".ipynb", ".html", ".js", "")
MADE_UP = ("test_hostile_outputs.py", "test_supply_chain.py")  # secrets that tests invent
KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bhf_[A-Za-z]{20,}|\bxox[abpr]-\w{10,}"
    r"|\bsk-[A-Za-z0-9]{20,}|://[^\s/:@]+:[^\s/@*{}]{3,}@"
)


def tracked() -> list[Path]:
    """The files under version control, or where there is none (an unpacked archive) all beside this one."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = [name for name in done.stdout.decode().split("\0") if name] if done.returncode == 0 else []
    return [ROOT / name for name in names] or [path for path in (ROOT / "tests").rglob("*") if path.is_file()]


def test_no_secret_stands_in_what_is_published() -> None:
    texts = [path for path in tracked() if path.suffix in TEXTS and path.name not in MADE_UP and path.is_file()]
    assert len(texts) > 50
    found = {path.relative_to(ROOT).as_posix(): KEYS.findall(path.read_text("utf-8", "replace")) for path in texts}
    assert {name: keys for name, keys in found.items() if keys} == {}


def test_the_search_finds_what_masking_masks() -> None:
    for secret in ("AKIA" + "ABCDEFGHIJKLMNOP", "ghp_" + "a1b2" * 9, "https://user:" + "pa55word@example.org/"):
        assert KEYS.search(secret)
        assert masked(secret) != secret


def refused(*arguments: object, **options: object) -> None:
    raise AssertionError(f"the network was asked for {arguments}")


def test_no_network_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("create_connection", "getaddrinfo", "gethostbyname", "create_server"):
        monkeypatch.setattr(socket, name, refused)
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    logs = [str(SAMPLES / "csv"), str(SAMPLES / "tensorboard" / "plateau_driven")]
    outputs = ["--html", "p.html", "--junit", "j.xml", "--json", "r.json", "--github"]
    commands = (["report", *logs, "-o", "out", *outputs], ["compare", *logs, "-o", "out2"], ["formats", *logs],
                ["export", *logs, "-o", "all.parquet"], ["explain", "plateau"])  # fmt: skip
    for command in commands:
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, (command, done.output)
    assert list((tmp_path / "out" / "plots").iterdir())
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?https?:""", Path("p.html").read_text("utf-8"))


def test_every_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    names = [re.split(r"[<>=!~ ]", one)[0] for one in tomllib.loads(text)["project"]["dependencies"]]
    assert len(names) <= 8
    for name in names:
        assert re.search(rf'^ *"{name}>=[\d.]+", *# \w+', text, re.MULTILINE), name


def test_advisories_on_our_dependencies_alone_are_told_and_no_network_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = runpy.run_path(str(ROOT / ".ci" / "audit.py"))
    assert {"numpy", "pandas", "click"} <= audit["our_dependencies"]() and "pytest" not in audit["our_dependencies"]()
    told = {"dependencies": [
        {"name": "Click", "version": "8.2", "vulns": [{"id": "PYSEC-1"}]}, {"name": "numpy", "version": "2", "vulns": []},
        {"name": "pytest", "version": "8", "vulns": [{"id": "PYSEC-2"}]}, {"name": "ours", "skip_reason": "not on PyPI"},
    ]}  # fmt: skip
    assert audit["advisories"](told, audit["our_dependencies"]()) == ["Click 8.2: PYSEC-1"]
    monkeypatch.setitem(audit["main"].__globals__, "run", lambda *_: 1)
    assert audit["main"]() == 0
    assert capsys.readouterr().out.startswith("skipped")
