"""`trainer_state.json` of the Hugging Face Trainer.

`log_history` holds one object a logging event: training rows (`loss`, `learning_rate`, `grad_norm`), evaluation rows
(`eval_loss`, `eval_…`) and, once, a summary of the whole run whose `train_loss` is a mean over all steps: it becomes
facts, no point of the curve. `step` counts optimizer updates, `epoch` is fractional.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from logdoctor_parsers.contract import Checkpoint, Ending, Fact, LogFile, Match, ParsedLog, Problem, first_problems
from logdoctor_parsers.json_rows import flatten
from logdoctor_parsers.json_stream import LineIndex, Part, key_offset, read_parts, read_rows
from logdoctor_parsers.record_table import tabulate
from logdoctor_parsers.records import Records
from logdoctor_parsers.text import decode

# Keys of the state and of the summary row → names of facts.
STATE_FACTS = {
    "max_steps": "max_iter",
    "num_train_epochs": "epochs",
    "train_batch_size": "batch_size",
    "logging_steps": "logging_steps",
    "eval_steps": "eval_steps",
    "best_metric": "best_metric",
    "best_global_step": "best_step",
}
SUMMARY_FACTS = {"train_loss": "mean_train_loss", "train_runtime": "train_runtime", "total_flos": "total_flos"}
_HISTORY = re.compile(r'"log_history"\s*:\s*\[')
_ENTRY = re.compile(r'"(?:step|epoch)"\s*:')


@dataclass(frozen=True)
class TrainerState:
    """The Trainer's saved state; evaluation rows are validation, all others training."""

    name: str = "hf-trainer-state"
    description: str = "trainer_state.json of the Hugging Face Trainer"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = file.head
        except (OSError, EOFError):
            return Match.NO
        is_state = head.lstrip().startswith(b"{") and b'"cells"' not in head[:200] and _HISTORY.search(decode(head)[0])
        return Match.SURE if is_state else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        text = decode(file.read())[0]
        lines = LineIndex(text)
        members, complete = read_parts(text, text.index("{")) if "{" in text else ([], True)
        state = {part.key: part for part in members}
        opened = _HISTORY.search(text)
        history, closed = read_rows(text, opened.end() - 1) if opened else ([], False)
        whole = complete or (closed and text.rstrip().endswith("}"))
        rows = [row for row in history if isinstance(row.value, dict)]
        summary = next((row for row in reversed(rows) if "train_runtime" in row.value), None)
        records = _read_rows(text, lines, [row for row in rows if row is not summary])
        table, row_facts = tabulate(records, bare_split="train")
        facts = [*_facts(lines, state), *(_summary_facts(text, lines, summary) if summary else []), *row_facts]
        return ParsedLog(
            self.name,
            table,
            tuple(facts),
            _problems(text, lines, members, history, complete),
            lines=lines.last,
            data=len(records),
            unreadable=len([row for row in history if not isinstance(row.value, dict)]),
            ending=_ending(lines, state, summary) if whole else Ending("torn", lines.last, "the file is cut off"),
            checkpoints=_checkpoints(lines, state),
        )


def _read_rows(text: str, lines: LineIndex, rows: list[Part]) -> Records:
    records = Records()
    for row in rows:
        records.begin(lines.line(row.start))
        for key, value in flatten(row.value):
            if not isinstance(value, str):
                records.put(key, value, lines.line(key_offset(text, row, key)))
    return records


def _facts(lines: LineIndex, state: dict[str, Part]) -> list[Fact]:
    return [
        Fact(name, state[key].value, lines.line(state[key].start))
        for key, name in STATE_FACTS.items()
        if key in state and isinstance(state[key].value, int | float)
    ]


def _checkpoints(lines: LineIndex, state: dict[str, Part]) -> tuple[Checkpoint, ...]:
    """The best one, which the Trainer names after its step: `out/checkpoint-500`."""
    best = state.get("best_model_checkpoint")
    if best is None or not isinstance(best.value, str) or not best.value:
        return ()
    step = re.search(r"-(\d{1,12})$", best.value)
    return (Checkpoint(best.value, lines.line(best.start), step=float(step[1]) if step else float("nan")),)


def _summary_facts(text: str, lines: LineIndex, summary: Part) -> list[Fact]:
    return [
        Fact(name, summary.value[key], lines.line(key_offset(text, summary, key)))
        for key, name in SUMMARY_FACTS.items()
        if isinstance(summary.value.get(key), int | float)
    ]


def _problems(
    text: str, lines: LineIndex, members: list[Part], history: list[Part], complete: bool
) -> tuple[Problem, ...]:
    found = [
        (lines.line(row.start), lines.damage(text, row) if row.cut else "entry of log_history is no object")
        for row in history
        if not isinstance(row.value, dict)
    ]
    closed = not history or not history[-1].cut
    end = members[-1].end if members else 0
    if complete and members and text[(end := text.index("}", end) + 1) :].strip():
        found.append((lines.line(end), _behind(lines, end)))
    elif not complete and history and closed and all(part.key == "log_history" for part in members[-1:]):
        found.append((lines.line(history[-1].end), _behind(lines, history[-1].end)))
    elif not complete and closed and _ENTRY.search(text, reached := max(end, *(row.end for row in history[-1:]), 0)):
        found.append((lines.line(reached), _behind(lines, reached)))
    elif not complete and closed:
        found.append((lines.line(end), "damaged: the settings that stand behind this line are left out"))
    return first_problems(found)


def _behind(lines: LineIndex, end: int) -> str:
    return f"damaged: what stands behind this line (lines {lines.line(end)} to {lines.last}) is left out"


def _ending(lines: LineIndex, state: dict[str, Part], summary: Part | None) -> Ending:
    """The Trainer writes the summary when it is done; early stopping is told by its callback's own counter."""
    value: dict[str, Any] = {key: part.value for key, part in state.items()}
    if "stateful_callbacks" in state and _stopped_early(value["stateful_callbacks"]):
        line = lines.line(state["stateful_callbacks"].start)
        return Ending("early-stopping", line, "EarlyStoppingCallback ran out of patience")
    if summary is not None:
        return Ending("finished", lines.line(summary.start), "the Trainer's closing summary")
    planned, done = value.get("max_steps"), value.get("global_step")
    if isinstance(planned, int) and isinstance(done, int) and done >= planned > 0:
        return Ending("finished", lines.line(state["global_step"].start), f"global_step {done} of {planned}")
    return Ending()


def _stopped_early(callbacks: Any) -> bool:
    callback = callbacks.get("EarlyStoppingCallback") if isinstance(callbacks, dict) else None
    if not isinstance(callback, dict):
        return False
    patience = (callback.get("args") or {}).get("early_stopping_patience")
    waited = (callback.get("attributes") or {}).get("early_stopping_patience_counter")
    return isinstance(patience, int) and isinstance(waited, int) and waited >= patience > 0


PARSER = TrainerState()
