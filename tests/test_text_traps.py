"""What a reader of printed logs gets wrong first: ranks, evaluations, folds, repeats, labels behind their values."""

from __future__ import annotations

import pytest
from parsed import column, log_file, meaning, values

from logdoctor_parsers import ParsedLog
from logdoctor_parsers.pytorch import PARSER


def read(text: str) -> ParsedLog:
    return PARSER.parse(log_file(text))


RANKS = ["[rank{}]: ", "{}: ", "[1,{}]<stdout>:", "worker-{}  | ", "[Rank {}] "]


@pytest.mark.parametrize("label", RANKS)
def test_of_ranks_that_tell_the_same_steps_the_lowest_is_read(label: str) -> None:
    text = "".join(f"{label.format(rank)}step {s} loss {s}.{rank}\n" for s in range(1, 5) for rank in (2, 0, 1))
    log = read(text)
    assert values(log, "loss") == [1, 2, 3, 4]
    assert [problem.message for problem in log.problems] == [
        "8 lines in which other ranks tell of the same steps are left out: the lowest rank is read"
    ]


def test_what_only_a_higher_rank_prints_is_read() -> None:
    log = read("".join(f"[rank0]: saved step_{s}.pt\n[rank7]: step {s} loss {s}.5\n" for s in range(1, 5)))
    assert values(log, "loss") == [1.5, 2.5, 3.5, 4.5]
    assert log.problems == ()


def test_a_number_that_grows_at_the_start_of_lines_counts_them() -> None:
    log = read("".join(f"{s}: loss {4 - s}.5\n" for s in range(4)))
    assert column(log, "step", "loss") == [0, 1, 2, 3]


def test_batches_of_an_evaluation_give_one_point() -> None:
    epoch = "Epoch {0}\n" + "".join(f"Train batch {b} loss {{0}}.{b}\n" for b in (1, 2))
    epoch += "".join(f"Val batch {b} loss {{0}}.{b}\n" for b in (1, 2, 3))
    log = read(epoch.format(1) + epoch.format(2))
    assert values(log, "loss", "train") == [1.1, 1.2, 2.1, 2.2]
    assert values(log, "loss", "val") == [1.3, 2.3]


def test_an_evaluation_that_runs_to_its_own_total_stands_where_training_was() -> None:
    step = "Iter(train) [{0}/1000]  loss: 0.5\nIter(val) [1/2]  mIoU: 1.0\nIter(val) [2/2]  mIoU: 7.5\n"
    log = read(step.format(100) + step.format(200))
    assert values(log, "mIoU") == [7.5, 7.5]
    assert column(log, "step", "mIoU") == [100, 200]


def test_batches_under_the_header_of_an_evaluation_are_no_training() -> None:
    log = read("Evaluating...\n" + "".join(f"batch {b}/4 loss 0.{b}\n" for b in range(1, 5)))
    assert meaning(log, "loss") <= {("loss", "val")}
    assert len(values(log, "loss")) <= 1


def test_values_over_the_epoch_do_not_continue_those_of_its_batches() -> None:
    epoch = "epoch {0}, batch 1, loss=0.9\nepoch {0}, batch 2, loss=0.8\nepoch {0} done: train loss=0.85 loss=0.85\n"
    log = read("".join(epoch.format(e) for e in (1, 2)))
    assert values(log, "loss") == [0.9, 0.8, 0.9, 0.8]
    assert values(log, "loss (epoch)") == [0.85, 0.85]


def test_the_rate_is_not_counted_once_more_on_lines_of_the_evaluation() -> None:
    log = read("".join(f"train epoch {e} loss 0.5 lr 0.1\nvalid epoch {e} loss 0.6 lr 0.1\n" for e in (1, 2)))
    assert values(log, "lr") == [0.1, 0.1]


def test_an_epoch_named_behind_its_values_is_theirs() -> None:
    log = read("".join(f"Training loss: {5 - e}.5\nfinished\nEpoch {e}/4 took 3 s\n" for e in (1, 2, 3, 4)))
    assert column(log, "epoch", "Training loss") == [1, 2, 3, 4]


def test_a_check_before_the_first_epoch_is_not_taken_for_that() -> None:
    text = "Val loss: 9.0\n" + "".join(f"Epoch {e}/3\nTrain loss: 0.{e}\nVal loss: 0.{e}\n" for e in (1, 2, 3))
    assert column(read(text), "epoch", "Val loss")[1:] == [1, 2, 3]


def test_the_best_round_told_again_is_no_new_run() -> None:
    rounds = "".join(f"[{s}]\ttraining's l2_loss: {9 - s}.5\tvalid_1's l2_loss: {9 - s}.75\n" for s in range(4))
    log = read(f"{rounds}Early stopping, best iteration is:\n[2]\ttraining's l2_loss: 7.5\tvalid_1's l2_loss: 7.75\n")
    assert column(log, "step", "valid_1's l2_loss") == [0, 1, 2, 3]


def test_states_of_the_only_bar_are_its_steps() -> None:
    bar = "\r".join(f"1|{s}|Loss: {9 - s}.5: {s * 20}%|##| {s}/5 [00:01<00:04, 1.0it/s]" for s in range(1, 6))
    log = read(bar + "\n")
    assert values(log, "Loss") == [8.5, 7.5, 6.5, 5.5, 4.5]
    assert column(log, "step", "Loss") == [1, 2, 3, 4, 5]


def test_bars_of_several_epochs_count_in_their_last_state() -> None:
    bars = "".join(
        f"Epoch {e}:  50%|##  | 1/2 [00:01<00:01, 1.0it/s, loss=9.0]\rEpoch {e}: 100%|####| 2/2 [00:02<00:00, loss={e}.5]\n"
        for e in range(4)
    )
    assert values(read(bars), "loss") == [0.5, 1.5, 2.5, 3.5]


def test_ranks_named_at_the_end_of_lines_tell_the_same_steps() -> None:
    log = read("".join(f"step {s} loss {s}.{rank} rank {rank}\n" for s in range(1, 5) for rank in (2, 0, 1)))
    assert values(log, "loss") == [1, 2, 3, 4]
    assert "8 lines in which other ranks" in log.problems[0].message


def test_a_line_all_in_brackets_is_no_prefix() -> None:
    log = read("".join(f"[00:12:3{b}.4 batch {b}/9 Loss :1.{b}]\n" for b in range(4)))
    assert values(log, "Loss") == [1.0, 1.1, 1.2, 1.3]


def test_losses_of_games_and_of_money_are_no_curve() -> None:
    games = "".join(f"Match {k}: 384 : {k} | {k} / 400\n6{k} wins, 2{k} losses\n" for k in range(5))
    head = "|   Best |   Epoch |   Trades |   Avg profit |   Objective |\n|--------+---------+----------|\n"
    money = head + "".join(f"| * Best |   {k}/150 |       3{k} |       -0.41% |     2.2{k} |\n" for k in range(1, 5))
    assert len(read(games).table) == 0
    assert len(read(money).table) == 0


def test_the_start_of_an_epoch_is_no_restart() -> None:
    log = read("".join(f"---> start train epoch{e}\nepoch: {e}/3, iter: 10/20, loss: 0.{9 - e}\n" for e in (1, 2, 3)))
    assert values(log, "loss") == [0.8, 0.7, 0.6]
    assert log.starts == ()


def test_numbers_far_behind_are_not_the_steps_of_values() -> None:
    text = "".join(f"-- precision {k}\nabc\n" for k in range(4)) + "".join(f"%s {k} -> {k}.0\n" for k in range(1, 5))
    assert len(read(text).table) == 0


def test_change_in_brackets_is_no_average() -> None:
    log = read("".join(f"epoch {e} loss: 1.5 (-0.5) acc: 0.5 (0.25)\n" for e in (1, 2, 3)))
    assert {s.tag for s in log.table.series} == {"loss", "acc", "acc (avg)"}


@pytest.mark.parametrize(
    "line",
    ["0.5 0.6 0.7", "| 0.5 | 0.6 | 0.7 |", "result (loss) = 0.5 0.25"],
)
def test_lines_that_look_like_data_and_gave_nothing_are_counted(line: str) -> None:
    log = read("".join(f"epoch {e} loss 0.5\n{line}\n" for e in (1, 2)))
    assert (log.data, log.unreadable) == (2, 2)
    assert log.leftover == ((2, line), (4, line))


@pytest.mark.parametrize(
    "line",
    ["best loss so far 0.5 saved", "loss scale 1024.5", "lr = 0.1, weight_decay = 0.0001", "took 3.5 s", "v1.2.3"],
)
def test_side_remarks_are_not(line: str) -> None:
    assert read("".join(f"epoch {e} loss 0.5\n{line}\n" for e in (1, 2))).leftover == ()
