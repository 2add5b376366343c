"""The command line: arguments, printing, exit codes. Heavy imports stay inside the commands."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logdoctor import __version__
from logdoctor.errors import LogDoctorError
from logdoctor.progress_line import ProgressLine

if TYPE_CHECKING:
    from logdoctor.diagnosis import Report
    from logdoctor.options import Options
    from logdoctor.report.outputs import Outputs

SEVERITIES = ("error", "warning", "info", "never")
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143  # exit codes as shells give them: 128 and the number of the signal
TRACEBACK_VARIABLE = "LOGDOCTOR_TRACEBACK"


class Sentence(click.ClickException):
    """A foreseeable failure: its sentence on stderr and our exit code."""

    def __init__(self, error: LogDoctorError) -> None:
        from logdoctor.report.escape import visible

        super().__init__(visible(str(error)))
        self.exit_code = error.exit_code  # type: ignore[misc]


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a batch system or a container sends it: everything ends as after Ctrl-C."""


class Commands(click.Group):
    """Whatever stops a command, it ends with one sentence and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to stop
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt as stopped:
            click.echo("\nStopped; files are written whole or not at all.", err=True)
            sys.exit(TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains while it exits
            sys.exit(BROKEN_PIPE)
        except Exception as error:
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            raise Sentence(_in_words(error)) from None


def _in_words(error: Exception) -> LogDoctorError:
    """Any exception as the sentence a user reads."""
    if isinstance(error, LogDoctorError):
        return error
    if isinstance(error, MemoryError):
        return LogDoctorError("not enough memory; give fewer files at once, or lower max_gigabytes in logdoctor.toml")
    if isinstance(error, OSError) and error.strerror:
        return LogDoctorError(f"{error.filename or 'standard output'}: {error.strerror}")
    told = f"{type(error).__name__}: {error}"
    return LogDoctorError(f"a fault of logdoctor ({told}); please report it with what {TRACEBACK_VARIABLE}=1 shows")


def plot_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is drawn, and as what, and how many processes work."""
    for option in reversed(
        (
            click.option("--plots", type=click.Choice(("all", "some", "none")), default="some", show_default=True,
                         help="Draw every run, those whose plot tells something, or none."),
            click.option("--jobs", type=click.IntRange(min=1), metavar="N",
                         help="Processes that judge; default: as many as pay."),
            click.option("--plot-format", type=click.Choice(("png", "svg")), default="png", show_default=True),
            click.option("--no-plots", is_flag=True, help="The same as --plots none."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how to read, shared by all commands that read."""
    for option in reversed(
        (
            click.option("--parser", metavar="NAME", help="Read every file as this format (see `logdoctor formats`)."),
            click.option("--pattern", "template", metavar="TEXT",
                         help="Read lines such as 'Epoch {epoch}/{_} loss {loss} val {val_loss} lr {lr}'."),
            click.option("--dataset-size", type=click.FloatRange(min=1), metavar="N", help="Training images."),
            click.option("--batch-size", type=click.FloatRange(min=1), metavar="N", help="Images per update."),
            click.option("--steps-per-epoch", type=click.FloatRange(min=0, min_open=True), metavar="N"),
            click.option("--augmentation-factor", type=click.FloatRange(min=0, min_open=True), metavar="X",
                         help="Effective epochs per pass over the images."),
            click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
                         help="Settings; default: logdoctor.toml or pyproject.toml, here or in PATH."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="logdoctor")
def cli() -> None:
    """Say what happened in a training run, from the logs it left behind."""


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o", "--output", "folder", default="logdoctor-report", show_default=True, metavar="DIR", help="Report folder."
)
@click.option("--since", metavar="12h", help="Only runs that wrote something since: 12h, 3d, 2026-11-21.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="never", show_default=True,
              help="Exit 1 on a firm finding at or above this severity.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 2 if anything could not be read or an analyzer failed.")
@click.option("--ignore", multiple=True, metavar="NAME", help="Count this finding, but do not tell it (repeatable).")
@click.option("--limit", "limits", multiple=True, metavar="NAME.LIMIT=X",
              help="Set a limit, such as plateau.min_epochs=20 (repeatable; see `explain NAME`).")  # fmt: skip
@click.option("--baseline", metavar="FILE", help="Say what changed since this former report.json.")
@click.option("--fail-if-worse", multiple=True, metavar="'val_loss 2%'",
              help="Exit 1 if the best value is worse than the baseline's by more than this (repeatable).")  # fmt: skip
@click.option("--json", "json_file", metavar="-|FILE", help="Also write the report as JSON here (-: standard output).")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write one page for the browser.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write JUnit XML; findings at or above --fail-on (never: warnings) fail.")  # fmt: skip
@click.option("--github", is_flag=True, help="Print annotations for GitHub Actions and write its job summary.")
@plot_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--now", type=float, hidden=True)
@reading_options
def report(
    paths: tuple[str, ...], folder: str, since: str | None, fail_on: str, strict: bool, json_file: str | None,
    html: Path | None, junit: Path | None, github: bool, plots: str, plot_format: str, no_plots: bool, quiet: bool,
    jobs: int | None, now: float | None, config: Path | None, limits: tuple[str, ...], **given: Any,
) -> None:  # fmt: skip
    """Diagnose every run under PATH (files, folders, or - for standard input) and write report.md with plots."""
    from logdoctor.judging import examine
    from logdoctor.options import parse_limits, parse_since
    from logdoctor.report import write_report
    from logdoctor.report.keeping import finish, spool
    from logdoctor.report.outputs import Outputs, write_outputs

    outputs, plots = Outputs(json_file, html, junit, github), "none" if no_plots else plots
    now = time.time() if now is None else now
    given |= {"since": None if since is None else parse_since(since, now), "limits": parse_limits(limits)}
    options = _options(config, paths, **given, now=now)
    with ProgressLine(quiet) as progress, spool() as drawn:
        finished = partial(finish, plots=plots, plot_format=plot_format, folder=Path(drawn))
        result = examine(list(paths), options, progress, jobs, finished)
        written = write_report(result, Path(folder), plots=plots, plot_format=plot_format, progress=progress)
        write_outputs(written, outputs, fail_on, plots=plots != "none", progress=progress)
    _deliver(written, Path(folder), outputs, quiet)
    sys.exit(exit_code(written, fail_on, strict))


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH PATH...")
@click.option(
    "-o", "--output", "folder", default="logdoctor-report", show_default=True, metavar="DIR", help="Report folder."
)
@click.option("--axis", type=click.Choice(("epoch", "step", "time")), help="Default: the first that all runs have.")
@click.option("--json", "json_file", metavar="-|FILE", help="Also write the report as JSON here (-: standard output).")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write one page for the browser.")
@plot_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@reading_options
def compare(
    paths: tuple[str, ...], folder: str, axis: str | None, json_file: str | None, plots: str, plot_format: str,
    no_plots: bool, quiet: bool, jobs: int | None, html: Path | None, config: Path | None, **given: Any,
) -> None:  # fmt: skip
    """Set the runs under PATH side by side: who leads early and at the end, where one passes the other."""
    from logdoctor.compare import compare as compare_runs
    from logdoctor.judging import examine
    from logdoctor.report import write_report
    from logdoctor.report.outputs import Outputs, write_outputs

    outputs, plots = Outputs(json_file, html), "none" if no_plots else plots
    options = _options(config, paths, **given)
    with ProgressLine(quiet) as progress:
        result = compare_runs(examine(list(paths), options, progress, jobs), axis)
        written = write_report(result, Path(folder), plots=plots, plot_format=plot_format, progress=progress)
        write_outputs(written, outputs, "never", plots=plots != "none")
    _deliver(written, Path(folder), outputs, quiet)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE.csv|.parquet|.jsonl")
@reading_options
def export(paths: tuple[str, ...], output: Path, config: Path | None, **given: Any) -> None:
    """Write every logged number as one table (run, metric, split, tag, step, epoch, value, line …)."""
    from logdoctor.frame import to_frame, write_frame
    from logdoctor.read import read_rows
    from logdoctor.report.escape import plain

    runs, unread = read_rows(paths, _options(config, paths, **given))
    frame = to_frame(runs, own=True)
    write_frame(frame, output)
    for file in unread:
        click.echo(f"not read: {plain(file.path)}: {plain(file.reason)}", err=True)
    click.echo(f"{len(frame):,} numbers of {len(runs)} runs written to {output}", err=True)
    sys.exit(0 if runs else 3)


@cli.command()
@click.argument("name", required=False)
def explain(name: str | None) -> None:
    """What a finding means, how it is decided, its limits and its reference; a list without NAME."""
    from logdoctor.explain import explanation

    click.echo(explanation(name))


@cli.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options
def formats(files: tuple[str, ...], config: Path | None, **given: Any) -> None:
    """What can be read; with FILE: as what it was recognised and what was found in it."""
    from logdoctor.formats import describe_file, list_formats
    from logdoctor.report.escape import inert

    options = _options(config, files, **given)
    click.echo(inert("\n\n".join(describe_file(file, options) for file in files)) if files else list_formats())


def exit_code(report: Report, fail_on: str, strict: bool) -> int:
    """0, 1 (firm findings from `fail_on` on, or worse than the baseline allows), 2 (nothing readable, problems under
    --strict), 3 (no training log).
    """
    from logdoctor.finding import Severity

    unjudged = report.changes is not None and report.changes.unjudged
    problems = unjudged or bool(report.unread) or any(d.failed or d.run.problems for d in report.runs)
    if strict and problems:
        return 2
    if report.changes is not None and report.changes.worse:
        return 1
    if not report.runs and not report.older:
        unreadable = [u for u in report.unread if u.reason.startswith("cannot be ")]
        return 2 if report.unread and len(unreadable) == len(report.unread) else 3
    if fail_on != "never" and any(f.firm and f.severity >= Severity[fail_on.upper()] for f in report.findings):
        return 1
    return 0


def _options(config: Path | None, paths: Sequence[str], **given: Any) -> Options:
    """Settings from --config, else those found here or in the one folder examined; the command line wins."""
    from logdoctor.options import Options, merged
    from logdoctor.settings import find_config, read_config

    path = config or find_config(paths)
    return merged(read_config(path) if path else Options(), given)


def _deliver(result: Report, folder: Path, outputs: Outputs, quiet: bool) -> None:
    """Results to stdout: the JSON alone with `--json -`, else the summary and what GitHub Actions reads."""
    from logdoctor.report.comparison_console import print_comparison
    from logdoctor.report.console import print_report
    from logdoctor.report.json_report import dumps
    from logdoctor.report.outputs import for_github

    only_json = outputs.json_file == "-"
    if only_json:
        click.echo(dumps(result), nl=False)
    elif not quiet and result.side_by_side:
        print_comparison(result.side_by_side, folder)
    elif not quiet:
        print_report(result, folder)
    if quiet or only_json:
        _say_what_gates_found(result)
    if outputs.github:
        click.echo(for_github(result), nl=False, err=only_json)


def _say_what_gates_found(report: Report) -> None:
    """Where no summary is printed: on stderr why --fail-if-worse fails, or could not judge."""
    from logdoctor.report.changes import gate_lines

    changes = report.changes
    if changes is not None and (changes.worse or changes.unjudged):
        for line in gate_lines(changes.gates):
            click.echo(line, err=True)


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def main() -> None:
    """Entry point of the command `logdoctor`."""
    signal.signal(signal.SIGTERM, _terminate)
    cli(prog_name="logdoctor")


if __name__ == "__main__":
    main()
