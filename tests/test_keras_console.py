"""What fit() prints, in the versions and terminals met."""

from __future__ import annotations

import math

import pytest

from logdoctor_parsers.keras_console import PARSER
from tests.parsed import claims, column, facts, log_file, meaning, values

BARS = (
    "Found 4575 images belonging to 62 classes.\n"
    "Epoch 1/2\n"
    "  1/285 [..............................] - ETA: 1:10 - loss: 4.4854 - acc: 0.0000e+00\n"
    "150/285 [==============>...............] - ETA: 5s - loss: 3.8120 - acc: 0.1055      \n"
    "285/285 [==============================] - 3s 11ms/step - loss: 2.5000 - acc: 0.4253 - val_loss: 1.6117"
    " - val_acc: 0.5738\n"
    "Epoch 2/2\n"
    "  1/285 [..............................] - ETA: 7s - loss: 2.4854 - acc: 0.5000\n"
    "285/285 [==============================] - 3s 11ms/step - loss: 2.2500 - acc: 0.4500 - val_loss: 1.5117"
    " - val_acc: 0.5838\n"
    "873/873 [==============================] - 0s 342us/step - loss: 9.0000 - acc: 0.1000\n"
)


def test_only_the_line_that_closes_an_epoch_counts() -> None:
    file = log_file(BARS)
    log = PARSER.parse(file)
    assert claims(file) == ["keras-console"]
    assert values(log, "loss") == [2.5, 2.25]
    assert values(log, "val_acc") == [0.5738, 0.5838]
    assert column(log, "epoch", "loss") == [1, 2]
    assert column(log, "line", "loss") == [5, 8]
    assert meaning(log, "acc") == {("accuracy", "train")}
    assert facts(log) == {"dataset_size": 4575, "classes": 62, "epochs": 2, "steps_per_epoch": 285}
    assert log.ending.kind == "finished"


@pytest.mark.parametrize(
    "line",
    [
        "1563/1563 - 37s - loss: 1.5000 - accuracy: 0.4697 - val_loss: 1.7500 - lr: 0.0100 - 37s/epoch - 24ms/step",
        "1563/1563 - 37s - 24ms/step - accuracy: 0.4697 - loss: 1.5000 - val_loss: 1.7500 - learning_rate: 1.0000e-02",
        " - 37s - loss: 1.5000 - acc: 0.4697 - val_loss: 1.7500 - lr: 0.0100",
        "37s - loss: 1.5000 - acc: 0.4697 - val_loss: 1.7500 - lr: 0.0100",
        "1563/1563 [==============================] - 37s - loss: 1.5000 - val_loss: 1.7500 - lr: 0.0100",
    ],
)
def test_forms_of_the_closing_line(line: str) -> None:
    file = log_file(f"Epoch 1/10\n{line}\nEpoch 2/10\n{line}\n")
    log = PARSER.parse(file)
    assert claims(file) == ["keras-console"]
    assert values(log, "loss") == [1.5, 1.5]
    assert values(log, "val_loss") == [1.75, 1.75]
    assert [v for s in log.table.series if s.metric == "lr" for v in values(log, s.tag)] == [0.01, 0.01]


def test_terminal_with_colours_and_backspaces() -> None:
    step = "\x1b[1m{}/32\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m━━━━\x1b[0m \x1b[1m0s\x1b[0m 8ms/step - loss: {}"
    bar = "\r" + step.format(1, "3.5000") + "\b" * 70 + "\r" + step.format(32, "2.5000") + "\b" * 70
    last = "\r" + step.format(32, "2.5000") + " - val_loss: 2.2500\n"
    file = log_file(f"Epoch 1/2\n{bar}{last}Epoch 2/2\n{bar}{last}")
    log = PARSER.parse(file)
    assert claims(file) == ["keras-console"]
    assert values(log, "loss") == [2.5, 2.5]
    assert values(log, "val_loss") == [2.25, 2.25]
    assert column(log, "line", "loss") == [2, 4]


def test_checkpoint_message_between_bar_and_closing_line() -> None:
    text = (
        "Epoch 1/2\n"
        "32/32 [==============================] - ETA: 0s - loss: 2.5000\n"
        "Epoch 1: val_loss improved from inf to 2.25000, saving model to a.h5\n"
        "32/32 [==============================] - 1s 9ms/step - loss: 2.5000 - val_loss: 2.2500\n"
        "Epoch 2/2\n"
        "32/32 [==============================] - ETA: 0s - loss: 2.0000\n"
    )
    log = PARSER.parse(log_file(text))
    assert values(log, "loss") == [2.5, 2.0]
    assert values(log, "val_loss") == [2.25]
    assert column(log, "line", "loss") == [4, 6]


def test_samples_instead_of_steps() -> None:
    text = (
        "Train on 7859 samples, validate on 873 samples\n"
        "Epoch 1/1\n"
        " 128/7859 [..............................] - ETA: 2:10 - loss: 5.0091\n"
        "7859/7859 [==============================] - 3s 342us/step - loss: 2.5000\n"
    )
    assert facts(PARSER.parse(log_file(text))) == {"dataset_size": 7859, "epochs": 1, "batch_size": 128}


def test_several_fits_follow_each_other() -> None:
    fit = "Epoch 1/2\n4/4 - 1s - loss: 2.5000\nEpoch 2/2\n4/4 - 1s - loss: 2.0000\n"
    log = PARSER.parse(log_file(fit * 3))
    assert column(log, "epoch", "loss") == [1, 2, 1, 2, 1, 2]
    assert log.dialect == "3 fits"


def test_messages_of_schedules() -> None:
    text = (
        "Epoch 1/3\n4/4 - 1s - loss: 2.5000\n"
        "Epoch 00001: ReduceLROnPlateau reducing learning rate to 0.0001.\n"
        "Epoch 2/3\n4/4 - 1s - loss: 2.0000\n"
        "\nEpoch 3: LearningRateScheduler setting learning rate to 5e-05.\nEpoch 3/3\n4/4 - 1s - loss: 1.5000\n"
    )
    log = PARSER.parse(log_file(text))
    assert values(log, "ReduceLROnPlateau") == [0.0001]
    assert column(log, "epoch", "ReduceLROnPlateau") == [2]
    assert values(log, "LearningRateScheduler") == [5e-05]
    assert column(log, "epoch", "LearningRateScheduler") == [3]


def test_nan_inf_and_negative() -> None:
    text = "Epoch 1/2\n4/4 - 1s - loss: -3.0642e-01 - mae: nan\nEpoch 2/2\n4/4 - 1s - loss: inf - mae: 0.5\n"
    log = PARSER.parse(log_file(text))
    assert values(log, "loss") == [-0.30642, math.inf]
    assert math.isnan(values(log, "mae")[0])


def test_cut_in_the_last_line() -> None:
    whole = BARS[: BARS.index("873/873")]
    log = PARSER.parse(log_file(whole))
    true = {(s.tag, v) for s in log.table.series for v in values(log, s.tag)}
    for size in range(whole.index("Epoch 2/2"), len(whole) - 1):
        log = PARSER.parse(log_file(whole[:size]))
        assert {(s.tag, v) for s in log.table.series for v in values(log, s.tag)} <= true


def test_last_line_without_line_end_counts_when_whole() -> None:
    log = PARSER.parse(log_file(BARS[: BARS.index("873/873") - 1]))
    assert values(log, "val_acc") == [0.5738, 0.5838]


def test_other_bars_are_not_keras() -> None:
    assert claims(log_file("Epoch 0/24\n----------\ntrain Loss: 0.5 Acc: 0.9\nval Loss: 0.6 Acc: 0.8\n")) == []
