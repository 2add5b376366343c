"""Text from logs in every output: escaped for its place, secrets masked; and faults that cost only themselves."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import logdoctor
from logdoctor import assemble, judging, reading
from logdoctor.cli import cli
from logdoctor.masking import MASK, masked, masked_name
from logdoctor.report import files, plots
from logdoctor.report.github import job_summary, workflow_commands
from logdoctor.report.html import to_html
from logdoctor.report.junit import to_junit
from logdoctor.report.markdown import to_markdown
from logdoctor.report.overview_plot import draw_overview
from logdoctor_parsers import LogFile
from tests.hostile import HARMLESS, PAYLOADS, report_of

SIGNS = "\x1b[31mred\x1b[0m \x07 \u202eright\u202c zero\u200bwidth \x00nul \x9b2J"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jsonl(tag: str, scale: float = 1.0) -> str:
    rows = ({"step": n, "loss": scale / n, f"loss {tag}": scale / n} for n in range(1, 30))
    return "".join(json.dumps(row) + "\n" for row in rows)


# injection ------------------------------------------------------------------------------------------------------------


def test_payloads_change_the_structure_of_no_output() -> None:
    hostile, harmless = report_of(PAYLOADS), report_of(HARMLESS)
    for lines in (lambda r: to_markdown(r, plots=False), job_summary, workflow_commands):
        assert outline(lines(hostile)) == outline(lines(harmless))
    trees = [ElementTree.fromstring(to_junit(report)) for report in (hostile, harmless)]
    shapes = [[(element.tag, sorted(element.attrib)) for element in tree.iter()] for tree in trees]
    assert shapes[0] == shapes[1]
    assert elements(to_html(hostile).decode()) == elements(to_html(harmless).decode())


UNDRAWABLE = (r"$\frac{", "$x^$ $", r"\$\alpha\$", "a\x00b\x1b[31m\u202e", "\ud800")


def test_payloads_are_text_in_every_plot() -> None:
    diagnoses = report_of((*PAYLOADS, *UNDRAWABLE)).runs
    for picture in (
        *(plots.draw(one, "svg") for one in diagnoses[-3:]),
        draw_overview(diagnoses, "svg"),
    ):
        kinds = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
        assert not kinds & {"script", "a", "image", "foreignObject", "animate", "set"}
    assert plots.draw(diagnoses[-1]).startswith(b"\x89PNG")


def written(folder: Path, texts: tuple[str, ...]) -> list[str]:
    """A log for each text, which is the name of its file and of a tag."""
    names = [f"{text.replace('/', '∕')}.jsonl" for text in texts]
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(jsonl(text, 1.0 + number))
    return [str(folder / name) for name in names]


@pytest.mark.parametrize("command", [["compare"], ["report", "--baseline", "old/report.json"]])
def test_payloads_change_no_comparison(here: Path, command: list[str]) -> None:
    invoke("report", *written(here / "before", ("a", "b")), "-o", "old", "--no-plots")
    outlines, pages = [], []
    for texts in (PAYLOADS[:4], HARMLESS[:4]):
        name = f"out{len(pages)}"
        done = invoke(
            *command, *written(here / f"runs{len(pages)}", texts), "-o", name, "--html", f"{name}.html", "--no-plots"
        )
        assert done.exit_code == 0, done.output
        assert not set("\x1b\u202e\u200b") & set(done.output)
        outlines.append(outline((here / name / "report.md").read_text("utf-8")))
        pages.append(elements((here / f"{name}.html").read_text("utf-8")))
    assert outlines[0] == outlines[1]
    assert pages[0] == pages[1]


def elements(page: str) -> set[tuple[str, str]]:
    """Every kind of element of a page with each of its attributes; where a long name may break does not count."""
    found: set[tuple[str, str]] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update((tag, name) for name, _ in [("", None), *attrs] if tag != "wbr")

    Reader().feed(page)
    return found


def outline(text: str) -> list[str]:
    """How each line begins, where Markdown and workflow commands have their signs; blocks of log lines are left out."""
    outside = re.sub(r"(?ms)^ *(`{3,})text$.*?^ *\1$", "", text)
    return [line[:2] if line[:1] in "#|-`:!<>" else "" for line in outside.splitlines()]


def test_signs_that_steer_a_terminal_or_hide_reach_no_output(here: Path) -> None:
    Path("m.jsonl").write_text(jsonl(SIGNS))
    Path("train.log").write_text(
        "".join(f"epoch {n} loss: {1 / n:.4f}\n" for n in range(1, 20))
        + f"Traceback (most recent call last):\n{SIGNS}\n"
    )
    extra = ["--html", "p.html", "--junit", "j.xml", "--github", "--no-plots"]
    shown = [invoke("report", ".", "-o", "out", *extra).output, invoke("formats", "m.jsonl", "train.log").output]
    shown += [Path(name).read_text("utf-8") for name in ("p.html", "j.xml", "out/report.md")]
    for text in shown:
        assert not set("\x1b\x07\u202e\u200b\x00\x9b") & set(text)
    assert any("red" in text for text in shown), "shown, not dropped"


def test_a_line_of_a_log_is_no_workflow_command(here: Path) -> None:
    Path("a.log").write_text(
        "".join(f"epoch {n} loss: {n}\n" for n in range(1, 20)) + "::error::taken\nRuntimeError: ::stop-commands::x\n"
    )
    done = invoke("report", ".", "--github", "--no-plots")
    commands = [line for line in done.output.splitlines() if line.startswith("::")]
    assert all(line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in commands)


@pytest.mark.parametrize("name", ["::error::taken", "##[error]taken"])
@pytest.mark.parametrize(
    "arguments", [["compare", "runs", "--no-plots"], ["report", "runs", "--no-plots"], ["formats", "runs"]]
)
def test_a_name_is_no_workflow_command(here: Path, arguments: list[str], name: str) -> None:
    Path("runs").mkdir()
    for number in (1, 2):
        rows = [json.dumps({"step": n, "loss": number / n, name: number / n}) for n in range(1, 30)]
        Path("runs", f"{name}{number}.jsonl").write_text("\n".join(rows))
    output = invoke(*arguments).output
    assert "taken" in output
    assert not [line for line in output.splitlines() if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_text_in_an_exported_csv_is_no_formula(here: Path, start: str) -> None:
    tag = f"{start}loss|' /C calc'!A0"
    rows = "".join(json.dumps({"step": n, "loss": -1.0 / n, tag: -1.0 / n}) + "\n" for n in range(1, 20))
    Path("m.jsonl").write_text(rows)
    for ending in ("csv", "jsonl", "parquet"):
        assert invoke("export", "m.jsonl", "-o", f"all.{ending}").exit_code == 0
    with Path("all.csv").open(newline="") as stream:
        cells = [row["tag"] for row in csv.DictReader(stream)]
    assert f"'{tag}" in cells
    assert not any(cell.startswith(start) for cell in cells)
    exact = pd.read_parquet("all.parquet")
    assert set(exact["tag"]) == {"loss", tag}, "only the table for spreadsheets is changed"
    assert pd.read_csv("all.csv")["value"].tolist() == exact["value"].tolist(), "numbers are as logged"


# secrets --------------------------------------------------------------------------------------------------------------

SECRETS = [
    ("WANDB_API_KEY={} python train.py --lr 0.1", "0123456789abcdef0123456789abcdef01234567"),
    ("python train.py --hub-token {} --epochs 3", "hf_" + "aBcDeFgHiJkLmNoPqRsT"),
    ("--password {} --epochs 3", "hunter2222"),
    ("Authorization: Bearer {}", "abcdef1234567890abcd"),
    ("https://user:{}@example.org/x.git", "pa55word"),
    ("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ('{{"api_key": "{}", "lr": 0.1}}', "abcdef123456"),
    ("wandb login {}", "0123456789abcdef0123456789abcdef01234567"),
    ("git clone with {}", "ghp_" + "abcdefghij0123456789"),
    ("{}", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"),
    ("Invalid: {}", "AKIA" + "ABCDEFGHIJKLMNOP"),
]


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_what_looks_like_a_secret_is_masked(line: str, secret: str) -> None:
    assert masked(line.format(secret)) == line.format(MASK)


@pytest.mark.parametrize(
    "line",
    [
        "token: 0.5", "pad_token=50256 eos_token='<|endoftext|>'", "tokens: 1024 loss 0.3", "KeyError: 'loss'",
        "attention key: encoder.layers.0.key.weight missing", "sort_key=length_of_document", "secret_weight: 0.1",
        'Missing key(s) in state_dict: "a.b.c"', "http://localhost:6006/", "monitor key: val_loss", "epoch 3 loss: 0.5",
    ],
)  # fmt: skip
def test_words_of_training_are_no_secrets(line: str) -> None:
    assert masked(line) == line


def test_no_output_holds_a_secret_of_the_last_lines(here: Path) -> None:
    told = "".join(f"{line.format(secret)}\n" for line, secret in SECRETS)
    Path("a.log").write_text(
        "".join(f"epoch {n} loss: {1 / n:.4f}\n" for n in range(1, 30))
        + f"{told}Traceback (most recent call last):\nRuntimeError: login with {SECRETS[8][1]} refused\n"
    )
    invoke("report", "a.log", "-o", "out", "--html", "p.html", "--junit", "j.xml", "--github", "--no-plots")
    for path in ("out/report.md", "out/report.json", "p.html", "j.xml"):
        text = Path(path).read_text("utf-8")
        assert not [secret for _, secret in SECRETS if secret in text]
    assert MASK in Path("p.html").read_text("utf-8")
    assert SECRETS[8][1] not in invoke("formats", "a.log").output


TOKENS = ("ghp_" + "aBcDeF1234567890ghijKLMN", "ghp_" + "aBcDeF1234567890ghijKLMO")


def test_no_output_holds_a_token_of_a_name(here: Path) -> None:
    for scale, token in enumerate(TOKENS, 1):
        folder = Path("runs", f"lr0.1_token={token}_bs32")
        folder.mkdir(parents=True)
        folder.joinpath(f"{token}.jsonl").write_text(jsonl(f"train x api_key={token}", scale))
        folder.joinpath(f"bad {token}.jsonl").write_text('{"step": 1}\n')
    shown = [
        invoke("report", "runs", "-o", "out", "--html", "p.html", "--junit", "j.xml", "--github").output,
        invoke("compare", "runs", "-o", "side", "--html", "c.html", "--no-plots").output,
        invoke("formats", "runs").output,
    ]
    written = [path for path in here.rglob("*") if here / "runs" not in path.parents]
    assert {"report.md", "report.json", "p.html", "j.xml", "c.html"} <= {path.name for path in written}
    shown += [str(path) for path in written]
    shown += [path.read_text("utf-8") for path in written if path.suffix in (".md", ".json", ".html", ".xml", ".svg")]
    for text in shown:
        assert not [token for token in TOKENS if token[4:20].lower() in text.lower()]
    told = json.loads(Path("out/report.json").read_text("utf-8"))
    names = {run["name"] for run in told["runs"]}
    assert len(names) == 2, "what differs in nothing but the token stays apart"
    assert all(name.startswith("lr0.1_token=***") and "_bs32" in name for name in names)
    again = invoke("report", "runs", "-o", "again", "--baseline", "out/report.json", "--no-plots").output
    assert "renamed" not in again


@pytest.mark.parametrize(
    "name",
    [
        "runs/0123456789abcdef0123456789abcdef01234567", "wandb/run-20240131_101112-1a2b3c4d", "2024-01-31_10-11-12",
        "sk-resnet50-imagenet-lr0.1-epochs100", "sk-learn-baseline-2024", "task-resnet50", "hf_bert_base_uncased2",
        "pad_token=sentencepieceUnigram32000", "tokens_per_second", "key/encoder.layers.0.key.weight", "basic resnet50-cifar10",
        "token: accuracy", "secret=baseline", "password_strength/loss", "commit=0123456789abcdef0123456789abcdef01234567",
        "experiments2024/resnet50/imagenet/baseline/seed1/version0/lightninglogs/metrics",
    ],
)  # fmt: skip
def test_ordinary_names_stay_readable(name: str) -> None:
    assert masked_name(name) == name


@pytest.mark.parametrize(
    "name", ["{}", "runs/lr0.1_{}/train", "x-{}.jsonl", "my_secret={}", "wandb_api_key:{}", "lr0.1_token={}"]
)
def test_tokens_of_names_are_masked_and_stay_different(name: str) -> None:
    first, second = (masked_name(name.format(token)) for token in TOKENS)
    assert first != second
    assert re.fullmatch(re.escape(name).replace(r"\{\}", r"\*{3}[0-9a-f]{8}"), first)


@pytest.mark.parametrize("token", ["hf_" + "A1" + "b" * 32, "sk-proj-" + "a1B2" * 8, "AKIA" + "ABCDEFGHIJKLMNOP"])
def test_tokens_of_every_kind_are_masked_in_names(token: str) -> None:
    assert re.fullmatch(r"lr0\.1_\*{3}[0-9a-f]{8}/m", masked_name(f"lr0.1_{token}/m"))


# live logs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_torn_last_line_is_never_a_value(here: Path, cut: int) -> None:
    whole = "".join(f"epoch {n} loss: {1 / n:.6f} lr: 1e-05\n" for n in range(1, 20))
    Path("a.log").write_text(whole[:-cut])
    frame = logdoctor.load("a.log")
    loss = frame[frame["metric"] == "loss"]["value"].to_numpy()
    assert np.allclose(loss, [1 / n for n in range(1, len(loss) + 1)], atol=1e-6)
    assert set(frame[frame["metric"] == "lr"]["value"]) == {1e-05}


# faults ---------------------------------------------------------------------------------------------------------------


def crash(*arguments: object, **options: object) -> object:
    raise RuntimeError("broken on purpose")


@pytest.fixture
def two_runs(here: Path) -> Path:
    Path("a.jsonl").write_text(jsonl("x"))
    Path("b.jsonl").write_text(jsonl("y", 3.0))
    return here


def strict() -> int:
    return invoke("report", ".", "-o", "out", "--strict", "--no-plots").exit_code


def test_nothing_fails_without_a_fault(two_runs: Path) -> None:
    assert strict() == 0


def test_an_analyzer_that_crashes_is_listed(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = judging.all_analyzers()[0]
    monkeypatch.setattr(type(broken), "analyze", crash)
    report = logdoctor.diagnose(".")
    assert len(report.runs) == 2
    assert {(f.analyzer, f.error) for d in report.runs for f in d.failed} == {
        (broken.name, "RuntimeError: broken on purpose")
    }
    assert strict() == 2


def test_a_parser_that_crashes_costs_its_file(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = next(p for p in reading.all_parsers() if p.name == "keras-csv")
    Path("c.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n")
    monkeypatch.setattr(type(parser), "parse", crash)
    report = logdoctor.diagnose(".")
    assert len(report.runs) == 2
    assert "the parser failed (RuntimeError: broken on purpose)" in report.unread[0].reason
    assert strict() == 2


def test_a_sniff_that_crashes_costs_its_file(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = reading.all_parsers()[0]
    sniff = type(parser).sniff

    def break_on_a(self: object, file: LogFile) -> object:
        return crash() if file.path.name == "a.jsonl" else sniff(self, file)  # type: ignore[arg-type]

    monkeypatch.setattr(type(parser), "sniff", break_on_a)
    report = logdoctor.diagnose(".")
    assert [d.run.name for d in report.runs] == ["b"]
    assert strict() == 2


@pytest.mark.parametrize("step", ["place", "_curves", "train_curve", "_facts", "_closing"])
def test_a_run_that_cannot_be_assembled_costs_only_itself(
    two_runs: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    works, calls = getattr(assemble, step), []

    def first_fails(*arguments: object) -> object:
        calls.append(1)
        return crash() if len(calls) == 1 else works(*arguments)

    monkeypatch.setattr(assemble, step, first_fails)
    report = logdoctor.diagnose(".")
    assert [d.run.name for d in report.runs] == ["b"]
    assert [(Path(u.path).name, "RuntimeError: broken on purpose" in u.reason) for u in report.unread] == [
        ("a.jsonl", True)
    ]
    calls.clear()
    assert strict() == 2


def test_files_that_cannot_be_grouped_cost_only_themselves(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = assemble.group

    def broken_by_a(reads: list[reading.Read]) -> object:
        return crash() if any(read.file.path.name == "a.jsonl" for read in reads) else works(reads)

    monkeypatch.setattr(assemble, "group", broken_by_a)
    report = logdoctor.diagnose(".")
    assert [d.run.name for d in report.runs] == ["b"]
    assert Path(report.unread[0].path).name == "a.jsonl"


def test_a_plot_that_crashes_is_listed(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "draw", crash)
    done = invoke("report", ".", "-o", "out", "--strict")
    assert done.exit_code == 2
    told = json.loads(Path("out/report.json").read_text())
    assert all(
        run["failed"] == [{"analyzer": "plot", "error": "RuntimeError: broken on purpose"}] for run in told["runs"]
    )


def test_a_fault_of_logdoctor_is_a_sentence(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "to_markdown", crash)
    done = invoke("report", ".", "-o", "out", "--no-plots")
    assert done.exit_code == 2
    assert "a fault of logdoctor (RuntimeError: broken on purpose); please report it" in done.output


def test_a_pattern_of_a_user_cannot_hang(here: Path) -> None:
    Path("a.log").write_text("epoch 1 loss 0.5\n" + "1 " * 50_000 + "x\n" + "1" * 200_000 + "\n")
    done = invoke("report", "a.log", "--no-plots", "--pattern", "{_}{a}{_}{b} {_} {_}{c}{_}{_}{d}x{e}!")
    assert done.exit_code == 2
    assert "no line fits the pattern" in done.output
