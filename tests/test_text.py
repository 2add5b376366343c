"""Bytes → lines: encodings, line ends, progress bars, how a log closes."""

from __future__ import annotations

import pytest

from logdoctor_parsers.contract import Ending
from logdoctor_parsers.text import TextLines, decode, lines_of
from logdoctor_parsers.text_ending import find_ending, last_lines


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"loss 0.5\n", "utf-8", "loss 0.5\n"),
        ("\ufeffloss 0.5\n".encode(), "utf-8-sig", "loss 0.5\n"),
        ("loss 0.5\n".encode("utf-16"), "utf-16", "loss 0.5\n"),
        ("epoch 1 loss 0.5\n".encode("utf-16-le"), "utf-16-le", "epoch 1 loss 0.5\n"),
        ("第1轮 训练损失 0.5\n".encode("gb18030"), "gb18030", "第1轮 训练损失 0.5\n"),
        ("durée 5 s, loss 0.5 \xff".encode("latin-1"), "latin-1", "durée 5 s, loss 0.5 \xff"),
    ],
)
def test_encodings(data: bytes, encoding: str, text: str) -> None:
    assert decode(data) == (text, encoding)


def test_a_damaged_byte_does_not_change_the_encoding() -> None:
    text, encoding = decode("übung: loss 0.5, größe 3".encode() + b"\xff\n")
    assert encoding == "utf-8"
    assert text.startswith("übung: loss 0.5, größe 3")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_line_ends_and_numbers(end: str) -> None:
    lines = lines_of(f"a{end}{end}b{end}".encode())
    assert list(lines) == [(1, "a"), (2, ""), (3, "b")]
    assert (lines.physical, lines.unterminated) == (3, False)


def test_bare_carriage_returns_end_lines_where_there_are_no_others() -> None:
    assert list(lines_of(b"loss 1\rloss 2\r")) == [(1, "loss 1"), (2, "loss 2")]


def test_an_overwritten_bar_counts_in_its_last_state_only() -> None:
    lines = lines_of(b"start\n 10%|#  | 1/10 [00:01<00:09, 1.0it/s]\r100%|###| 10/10 [00:10<00:00, 1.0it/s]\nend\n")
    assert list(lines) == [(1, "start"), (2, "100%|###| 10/10 [00:10<00:00, 1.0it/s]"), (3, "end")]


def test_backspaces_overwrite_like_carriage_returns() -> None:
    lines = lines_of(b"x\n1/3 [=>....] loss: 3\x08\x08\x08\x08\x082/3 [====>.] loss: 2\x08\x083/3 [======] loss: 1\n")
    assert lines.texts[-1] == "3/3 [======] loss: 1"


def test_text_between_carriage_returns_is_kept_with_its_line_number() -> None:
    assert list(lines_of(b"x\nstep 1 loss 3\rstep 2 loss 2\ny\n"))[1:3] == [(2, "step 1 loss 3"), (2, "step 2 loss 2")]


def test_colours_cursor_moves_and_nul_bytes_are_dropped() -> None:
    lines = lines_of(b"\x1b[36m0.6488\x1b[0m\x1b[A\x1b]0;title\x07 ok\n\0\0\0")
    assert list(lines) == [(1, "0.6488 ok")]


def test_an_unterminated_last_line_is_known() -> None:
    assert lines_of(b"a\nb").unterminated
    assert not lines_of(b"").unterminated


def _lines(text: str) -> TextLines:
    return lines_of(text.encode())


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ('Traceback (most recent call last):\n  File "a.py", line 3\nValueError: bad shape', "crashed"),
        ("RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB", "crashed"),
        ("./run.sh: line 3: 14412 Killed   python train.py", "crashed"),
        ("Segmentation fault (core dumped)", "crashed"),
        ("*** SIGTERM received by PID 31188 ***", "crashed"),
        ("slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2024-01-01T10:00:00 DUE TO TIME LIMIT ***", "crashed"),
        ('Traceback (most recent call last):\n  File "a.py", line 3\nKeyboardInterrupt', "stopped"),
        ("^C", "stopped"),
        ("Early stopping at epoch 12", "early-stopping"),
        ("EarlyStopping counter: 3 out of 10", "open"),
        ("Training completed in 3h 2m", "finished"),
        ("Finished training.", "finished"),
        ("epoch 3 loss 0.2", "open"),
    ],
)
def test_how_a_log_closes(last: str, kind: str) -> None:
    ending = find_ending(_lines(f"epoch 1 loss 0.5\nepoch 2 loss 0.4\n{last}\n"), last_data=2)
    assert ending.kind == kind
    assert (ending.line > 2) == (kind != "open")


def test_an_error_that_training_survived_is_no_ending() -> None:
    text = "epoch 1 loss 0.5\nTraceback (most recent call last):\nOSError: no tensorboard\nepoch 2 loss 0.4\n"
    assert find_ending(_lines(text), last_data=4).kind == "open"


def test_the_tail_holds_the_last_lines() -> None:
    lines = _lines("\n".join(map(str, range(50))))
    assert last_lines(lines, Ending())[-2:] == ("48", "49")


def test_the_last_lines_of_a_crash_end_with_it() -> None:
    log = "epoch 1 loss 0.5\n\nTraceback (most recent call last):\nValueError: bad\nValueError: bad\n" + "@ 0x7f\n" * 40
    lines = _lines(log + "at the end\n" * 2)
    ending = find_ending(lines, last_data=1)
    assert (ending.line, ending.message) == (5, "ValueError: bad")
    wanted = ("epoch 1 loss 0.5", "Traceback (most recent call last):", "ValueError: bad", "@ 0x7f")
    assert last_lines(lines, ending) == wanted


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB\nChildFailedError:\ntrain.py FAILED", 3),
        ("Traceback (most recent call last):\nOSError: [Errno 28] No space left on device\nsrun: error: n1", 4),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01 DUE TO NODE FAILURE ***\nsrun: error: n1", 3),
        ("[rank1]: Traceback (most recent call last):\n[rank1]: ValueError: bad\nsrun: error: task 1: Exited", 4),
        ("./run.sh: line 3: 14412 Killed   python train.py\nsrun: error: n1: task 0: Killed", 4),
    ],
)
def test_the_line_that_tells_most_is_the_reason(log: str, told: int) -> None:
    ending = find_ending(_lines(f"epoch 1 loss 0.5\nepoch 2 loss 0.4\n{log}\n"), last_data=2)
    assert (ending.kind, ending.line) == ("crashed", told)
