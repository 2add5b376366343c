"""The command line as its users meet it: results on stdout, sentences on stderr, exit codes 0, 1, 2, 3."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from logdoctor.cli import cli

HEALTHY = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1) + 0.1:.6f},{2 / (i + 1) + 0.2:.6f}\n" for i in range(30))
DIVERGED = "epoch,loss,val_loss\n" + "".join(f"{i},{1 + 3**i:.6g},{1 + 3**i:.6g}\n" for i in range(20))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, text: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=text)


def report(*arguments: str, text: bytes | None = None) -> Result:
    return run("report", "--no-plots", *arguments, text=text)


def test_a_folder_of_runs_gives_a_report_and_exit_0(here: Path) -> None:
    (here / "runs").mkdir()
    (here / "runs" / "good.csv").write_text(HEALTHY)
    result = report("runs")
    assert result.exit_code == 0, result.output
    assert "good" in result.stdout
    assert "good" in (here / "logdoctor-report" / "report.md").read_text()
    assert json.loads((here / "logdoctor-report" / "report.json").read_text())["logdoctor"]


def test_every_image_of_the_report_exists(here: Path) -> None:
    (here / "a.csv").write_text(HEALTHY)
    assert run("report", "a.csv").exit_code == 0
    content = json.loads((here / "logdoctor-report" / "report.json").read_text())
    plots = [plot for one in content["runs"] for plot in one["plots"]]
    assert plots
    assert all((here / "logdoctor-report" / plot).stat().st_size > 1000 for plot in plots)
    assert all(plot in (here / "logdoctor-report" / "report.md").read_text() for plot in plots)


def test_what_is_drawn_and_as_what(here: Path) -> None:
    (here / "runs").mkdir()
    for index in range(2):
        (here / "runs" / f"{index}.csv").write_text(HEALTHY.replace(",0.", f",{index}."))
    for options, endings in (
        (("--plots", "none"), set()), (("--plots", "all", "--plot-format", "svg"), {".svg"}), (("--plots", "all"), {".png"}),
    ):  # fmt: skip
        assert run("report", "runs", *options).exit_code == 0
        content = json.loads((here / "logdoctor-report" / "report.json").read_text())
        assert {Path(plot).suffix for one in content["runs"] for plot in one["plots"]} == endings
        assert {path.suffix for path in (here / "logdoctor-report").glob("plots/*")} == endings
    assert run("report", "runs", "--plots", "most").exit_code == 2
    assert run("compare", "runs", "--plot-format", "svg").exit_code == 0
    assert [path.suffix for path in (here / "logdoctor-report" / "plots").iterdir()] == [".svg"]


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("error", 1), ("warning", 1), ("info", 1)])
def test_fail_on_gives_exit_1_for_firm_findings(here: Path, fail_on: str, code: int) -> None:
    (here / "bad.csv").write_text(DIVERGED)
    assert report("bad.csv", "--fail-on", fail_on).exit_code == code


def test_a_finding_left_out_does_not_count(here: Path) -> None:
    (here / "bad.csv").write_text(DIVERGED)
    said = json.loads(report("bad.csv", "--json", "-").stdout)["runs"][0]["findings"]
    ignored = [part for finding in said for part in ("--ignore", finding["analyzer"])]
    assert report("bad.csv", "--fail-on", "info", *ignored).exit_code == 0


def test_json_to_stdout_is_json_alone(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    content = json.loads(report("good.csv", "--json", "-").stdout)
    assert content["schema"] == 1
    assert [one["name"] for one in content["runs"]] == ["good"]


def test_standard_input(here: Path) -> None:
    content = json.loads(report("-", "--json", "-", text=HEALTHY.encode()).stdout)
    assert content["runs"][0]["series"][0]["points"] == 30


def test_nothing_recognised_is_exit_3_and_the_report_says_so(here: Path) -> None:
    (here / "notes.txt").write_text("shopping list: milk, bread\n")
    result = report("notes.txt")
    assert result.exit_code == 3
    text = (here / "logdoctor-report" / "report.md").read_text()
    assert "notes.txt" in text
    assert "healthy" not in text.lower()


def test_an_empty_folder_is_exit_3(here: Path) -> None:
    (here / "empty").mkdir()
    assert report("empty").exit_code == 3


def test_a_missing_path_is_exit_2_and_a_sentence(here: Path) -> None:
    result = report("nowhere")
    assert result.exit_code == 2
    assert "nowhere: no such file or folder" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_alone_is_exit_2(here: Path) -> None:
    (here / "secret.csv").write_text(HEALTHY)
    (here / "secret.csv").chmod(0)
    assert report("secret.csv").exit_code == 2


BAD_FILES = {
    "empty.log": (b"", "0 bytes"),
    "weights.bin": (bytes(range(256)) * 40, "binary"),
    "pointer.log": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", "git lfs pull"),
    "events.out.tfevents.1.host": (b"", "0 bytes"),
    "notes.md": (b"# how we train\nWe use SGD.\n", "not recognised"),
}


def test_each_bad_file_gets_its_sentence_and_the_good_one_is_reported(here: Path) -> None:
    for name, (content, _) in BAD_FILES.items():
        (here / name).write_bytes(content)
    (here / "good.csv").write_text(HEALTHY)
    result = report(".", "--json", "out.json")
    assert result.exit_code == 0
    content = json.loads((here / "out.json").read_text())
    assert [one["name"] for one in content["runs"]] == ["good"]
    reasons = {Path(unread["path"]).name: unread["reason"] for unread in content["unread"]}
    assert {name for name, (_, word) in BAD_FILES.items() if word in reasons.get(name, "")} == set(BAD_FILES)
    assert report(".", "--strict", "-o", "strict").exit_code == 2


def test_a_torn_last_line_costs_that_line_only(here: Path) -> None:
    (here / "torn.csv").write_text(HEALTHY + "30,0.1")
    content = json.loads(report("torn.csv", "--json", "-", "--now", "4e9").stdout)["runs"][0]
    assert {s["points"] for s in content["series"]} == {30}
    assert "interrupted" in {f["analyzer"] for f in content["findings"]}


def test_a_nan_column_is_not_read_as_divergence(here: Path) -> None:
    lines = [f"{i},{2 / (i + 1) + 0.1:.6f},nan" for i in range(30)]
    (here / "side.csv").write_text("epoch,loss,grad_norm\n" + "\n".join(lines) + "\n")
    content = json.loads(report("side.csv", "--json", "-").stdout)["runs"][0]
    assert not {"divergence", "non-finite-loss"} & {f["analyzer"] for f in content["findings"]}


def test_bytes_that_are_no_utf_8_are_read_all_the_same(here: Path) -> None:
    (here / "latin.csv").write_bytes(HEALTHY.replace("\n", ",é\n").replace("é", "größe", 1).encode("latin-1"))
    content = json.loads(report("latin.csv", "--json", "-").stdout)
    assert content["runs"][0]["series"][0]["points"] == 30


def test_a_foreign_folder_is_not_overwritten(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    (here / "thesis").mkdir()
    (here / "thesis" / "report.md").write_text("my thesis")
    result = report("good.csv", "-o", "thesis")
    assert result.exit_code == 2
    assert (here / "thesis" / "report.md").read_text() == "my thesis"


def test_a_second_report_in_the_folder_examined_does_not_read_the_first(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    for _ in range(2):
        result = report(".", "-o", "out", "--json", "-")
        assert [one["name"] for one in json.loads(result.stdout)["runs"]] == ["good"]


def test_since_leaves_old_runs_out(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    os.utime(here / "good.csv", (1_000_000, 1_000_000))
    assert len(json.loads(report(".", "--json", "-").stdout)["runs"]) == 1
    result = report(".", "--since", "12h", "--json", "-")
    assert json.loads(result.stdout)["runs"] == []
    assert report(".", "--since", "yesterday-ish").exit_code == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("batchsize = 3", "did you mean 'batch_size'"), ("[limits.platau]\nmin_epochs = 3", "did you mean 'plateau'"),
        ("[limits.plateau]\nmin_epoch = 3", "did you mean 'min_epochs'"),
        ("batch_size = -1", "must be a number above 0"),
        ("= 3", "not valid TOML"), ('[runs."a"]\ndatasetsize = 3', "did you mean 'dataset_size'"),
    ],
)  # fmt: skip
def test_settings_with_a_mistake_are_one_sentence(here: Path, content: str, sentence: str) -> None:
    (here / "good.csv").write_text(HEALTHY)
    (here / "logdoctor.toml").write_text(content)
    result = report("good.csv")
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_settings_are_read_and_the_command_line_wins(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    (here / "logdoctor.toml").write_text('batch_size = 10\n[runs."go*"]\ndataset_size = 1000\n')
    axis = json.loads(report("good.csv", "--json", "-").stdout)["runs"][0]["axis"]
    assert axis["steps_per_epoch"] == 100
    axis = json.loads(report("good.csv", "--json", "-", "--steps-per-epoch", "7").stdout)["runs"][0]["axis"]
    assert (axis["steps_per_epoch"], axis["origin"]) == (7, "given")


def test_formats_tells_how_a_file_was_read(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    listed = run("formats")
    assert listed.exit_code == 0
    assert {"caffe", "keras-csv", "tensorboard", "pytorch"} <= {line.split()[0] for line in listed.stdout.splitlines()}
    described = run("formats", "good.csv").stdout
    assert "keras-csv" in described
    assert "30" in described
    assert "loss (val)" in described


def test_formats_shows_what_was_not_understood_and_the_way_out(here: Path) -> None:
    (here / "mixed.log").write_text("".join(f"epoch {e} loss 0.5\n{e}.5 0.6 0.7\n" for e in (1, 2, 3)))
    (here / "alien.log").write_text("".join(f"gen {e} :: 0.{e} & 1.5\n" for e in range(1, 9)))
    mixed, alien = run("formats", "mixed.log").stdout, run("formats", "alien.log").stdout
    assert "6 lines: 3 with numbers that were read, 3 that look like data and were not understood, 0 others" in mixed
    assert "line 2: 1.5 0.6 0.7" in mixed
    assert "line 1: gen 1 :: 0.1 & 1.5" in alien
    proposal = alien.split("--pattern '")[1].split("'")[0]
    assert "loss" in run("formats", "alien.log", "--pattern", proposal).stdout.split("series")[1]


def test_explain_lists_and_explains(here: Path) -> None:
    assert "plateau" in run("explain").stdout
    page = run("explain", "plateau").stdout
    assert "min_epochs" in page
    assert "How it decides" in page
    assert "precision" in page
    assert "logdoctor compare" in run("explain", "late-overtaker").stdout
    assert "did you mean 'plateau'" in run("explain", "platau").stderr


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_export(here: Path, suffix: str) -> None:
    import pandas as pd

    (here / "good.csv").write_text(HEALTHY)
    result = run("export", "good.csv", "-o", f"out.{suffix}")
    assert result.exit_code == 0, result.output
    path = here / f"out.{suffix}"
    frame = {
        "csv": pd.read_csv, "jsonl": lambda p: pd.read_json(p, lines=True), "parquet": pd.read_parquet,
    }[suffix](path)  # fmt: skip
    assert len(frame) == 60
    assert frame.value.iloc[0] == pytest.approx(2.1)


def test_export_to_an_unknown_ending_names_the_known_ones(here: Path) -> None:
    (here / "good.csv").write_text(HEALTHY)
    result = run("export", "good.csv", "-o", "out.xlsx")
    assert result.exit_code == 2
    assert ".parquet" in result.stderr


HOME_MADE = "".join(f"{i}. pass gave {2 / (i + 1) + 0.1:.4f} (held out {2 / (i + 1) + 0.2:.4f})\n" for i in range(20))
TEMPLATE = "{epoch}. pass gave {loss} (held out {val_loss})"


def test_a_home_made_format_is_read_by_a_pattern(here: Path) -> None:
    (here / "run.txt").write_text(HOME_MADE)
    one = json.loads(report("run.txt", "--pattern", TEMPLATE, "--json", "-").stdout)["runs"][0]
    assert {(s["metric"], s["split"], s["points"]) for s in one["series"]} == {("loss", "", 20), ("loss", "val", 20)}
    (here / "logdoctor.toml").write_text(f'[[pattern]]\ntemplate = "{TEMPLATE}"\nname = "ours"\n')
    assert json.loads(report("run.txt", "--json", "-").stdout)["runs"][0]["formats"] == ["pattern"]


def test_a_pattern_that_fits_nothing_shows_the_nearest_line(here: Path) -> None:
    (here / "run.txt").write_text(HOME_MADE)
    result = report("run.txt", "--pattern", "{epoch}. pass yielded {loss}")
    assert result.exit_code == 2
    assert "no line fits" in result.stderr
    assert "pass gave" in result.stderr


def test_prose_that_mentions_a_loss_is_no_log(here: Path) -> None:
    (here / "notes.md").write_text(
        "# Notes\n" + "Some words about our work.\n" * 20 + "The train loss was 0.38 at epoch 3.\n"
    )
    assert report("notes.md").exit_code == 3
