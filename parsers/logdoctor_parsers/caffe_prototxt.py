"""Protocol-buffer text as Caffe prints it into its logs: solver and net parameters, and the facts they state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from logdoctor_parsers.contract import Fact

FIELD = re.compile(rb"(\w+)\s*(?::\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s{}]+)|:?\s*(\{))|(\})")
PARAM_STR_BATCH = re.compile(r"batch_size\W{1,4}(\d+)")

COPIED = (
    "base_lr", "lr_policy", "gamma", "power", "stepsize", "max_iter", "iter_size", "momentum", "momentum2",
    "weight_decay", "average_loss", "display", "test_interval", "clip_gradients", "min_lr", "snapshot",
    "snapshot_prefix", "random_seed",
)  # fmt: skip
LISTED = ("stepvalue", "test_iter")
OPTIMIZERS = {"sgd": "SGD", "nesterov": "Nesterov", "adam": "Adam", "adagrad": "AdaGrad", "rmsprop": "RMSProp",
              "adadelta": "AdaDelta", "0": "SGD", "1": "Nesterov", "2": "AdaGrad"}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A message of fields in their order: (name, value, line); a value is a number, a text, or a `Message`."""

    fields: list[tuple[str, Any, int]] = field(default_factory=list)

    def all(self, name: str) -> Iterator[tuple[Any, int]]:
        """Every value of a field with its line."""
        return ((value, line) for key, value, line in self.fields if key == name)

    def first(self, name: str) -> Any:
        """A field's first value, None where it is not set."""
        return next((value for value, _ in self.all(name)), None)

    def walk(self) -> Iterator[tuple[str, Any, int]]:
        """All fields, those of inner messages too."""
        waiting = list(reversed(self.fields))
        while waiting:  # no recursion: a log may open more braces than Python's stack is deep
            name, value, line = waiting.pop()
            yield name, value, line
            if isinstance(value, Message):
                waiting.extend(reversed(value.fields))


def read_message(lines: Sequence[tuple[int, bytes]]) -> Message:
    """Numbered lines of protobuf text → message; what does not parse is passed over, open braces close at the end."""
    root = Message()
    stack = [root]
    for number, text in lines:
        for name, value, opened, closed in FIELD.findall(text.partition(b"#")[0] if b'"' not in text else text):
            if closed:
                stack = stack[:-1] if len(stack) > 1 else stack
            elif opened:
                inner = Message()
                stack[-1].fields.append((name.decode(), inner, number))
                stack.append(inner)
            else:
                stack[-1].fields.append((name.decode(), _value(value.decode("utf-8", "replace")), number))
    return root


def _value(text: str) -> Any:
    """A number where it is one, else the text without its quotes."""
    if text[:1] in "\"'":
        return text[1:-1]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def solver_facts(solver: Message, line: int) -> list[Fact]:
    """What the solver's parameters state; `line` is that of their heading, used for Caffe's default solver, SGD."""
    facts = [Fact(name, value, at) for name in COPIED for value, at in list(solver.all(name))[-1:]]
    for name in LISTED:
        if values := list(solver.all(name)):
            whole = [value for value, _ in values]
            facts.append(Fact(name, whole if name == "stepvalue" or len(whole) > 1 else whole[0], values[0][1]))
    kinds = [*solver.all("solver_type"), *solver.all("type")]
    kind, at = kinds[0] if kinds else ("SGD", line)
    facts.append(Fact("optimizer", OPTIMIZERS.get(str(kind).lower(), str(kind)), at))
    return facts


def net_facts(net: Message, phase: str) -> list[Fact]:
    """Batch size of a net's data layers; `phase` (TRAIN, TEST) holds where the net itself does not say."""
    state = net.first("state")
    phase = (state.first("phase") if isinstance(state, Message) else None) or phase
    facts: dict[str, Fact] = {}
    for layer, _ in [*net.all("layer"), *net.all("layers")]:
        if not isinstance(layer, Message) or (found := _batch_size(layer)) is None:
            continue
        name = "batch_size" if _phase(layer, phase) in ("TRAIN", 0, "") else "test_batch_size"
        facts.setdefault(name, Fact(name, *found))
    return list(facts.values())


def _batch_size(layer: Message) -> tuple[int, int] | None:
    """A data layer's batch size and the line it stands on; also from a Python layer's `param_str`."""
    for name, value, line in layer.walk():
        if name in ("batch_size", "batchsize") and isinstance(value, int):
            return value, line
        if name == "param_str" and (told := PARAM_STR_BATCH.search(str(value))):
            return int(told[1]), line
    return None


def _phase(layer: Message, phase: str) -> Any:
    include = layer.first("include")
    own = include.first("phase") if isinstance(include, Message) else None
    return phase if own is None else own


def test_stages(solver: Message) -> list[str]:
    """The stage of each test net in order (`test-on-train`), empty where none is named."""
    states = [state for state, _ in solver.all("test_state") if isinstance(state, Message)]
    return [next((str(s) for s, _ in state.all("stage") if s), "") for state in states]
