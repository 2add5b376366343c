"""Printed text logs: dialects seen and unseen, their traps, what they say about the run."""

from __future__ import annotations

import math

import pytest
from parsed import claims, column, facts, log_file, meaning, values

from logdoctor_parsers import Match, ParsedLog
from logdoctor_parsers.pytorch import PARSER


def read(text: str) -> ParsedLog:
    return PARSER.parse(log_file(text))


IMAGENET = """=> creating model 'resnet18'
Epoch: [0][  0/100]\tTime  0.694 ( 0.694)\tData  0.014 ( 0.014)\tLoss 6.9e+00 (6.9e+00)\tAcc@1   0.00 (  0.00)\tAcc@5   0.40 (  0.40)
Epoch: [0][ 50/100]\tTime  0.694 ( 0.694)\tData  0.014 ( 0.014)\tLoss 5.9e+00 (6.1e+00)\tAcc@1   3.12 (  1.99)\tAcc@5   9.38 (  7.04)
Test: [ 0/20]\tTime  0.050 ( 0.050)\tLoss 5.0e+00 (5.0e+00)\tAcc@1  10.00 ( 10.00)\tAcc@5  31.00 ( 31.00)
Test: [10/20]\tTime  0.050 ( 0.050)\tLoss 5.5e+00 (5.2e+00)\tAcc@1  12.00 ( 11.00)\tAcc@5  31.00 ( 31.00)
 *   Acc@1 11.500 Acc@5 31.000
Epoch: [1][  0/100]\tTime  0.694 ( 0.694)\tData  0.014 ( 0.014)\tLoss 4.9e+00 (4.9e+00)\tAcc@1   0.00 (  0.00)\tAcc@5   0.40 (  0.40)
Test: [ 0/20]\tTime  0.050 ( 0.050)\tLoss 4.0e+00 (4.0e+00)\tAcc@1  10.00 ( 10.00)\tAcc@5  31.00 ( 31.00)
Test: [10/20]\tTime  0.050 ( 0.050)\tLoss 4.5e+00 (4.2e+00)\tAcc@1  12.00 ( 11.00)\tAcc@5  31.00 ( 31.00)
 *   Acc@1 21.500 Acc@5 41.000
"""


def test_imagenet_example() -> None:
    log = read(IMAGENET)
    assert values(log, "Loss", "train") == [6.9, 5.9, 4.9]
    assert values(log, "Loss (avg)", "train") == [6.9, 6.1, 4.9]
    assert column(log, "batch", "Loss") == [0, 50, 0]
    assert column(log, "epoch", "Loss") == [0, 0, 1]
    assert log.dialect == "pytorch imagenet example"
    assert claims(log_file(IMAGENET)) == ["pytorch"]


def test_one_validation_point_an_evaluation_the_summary_first() -> None:
    log = read(IMAGENET)
    assert values(log, "Loss (avg)", "test") == [5.2, 4.2]
    assert values(log, "Loss", "test") == []
    assert values(log, "Acc@1", "test") == [11.5, 21.5]
    assert values(log, "Acc@1 (avg)", "test") == []


def test_times_are_no_series() -> None:
    assert not {"Time", "Data", "Time (avg)"} & {s.tag for s in read(IMAGENET).table.series}


def test_an_evaluation_cut_short_does_not_count() -> None:
    cut = IMAGENET[: IMAGENET.rindex(" *")].replace("Test: [10/20]", "Test: [19/20]", 1)
    cut = cut[: cut.rindex("Test: [10/20]") + len("Test: [10/20]\tTime  0.050 ( 0.050)\tLoss 4.5")]
    log = read(cut)
    assert values(log, "Loss (avg)", "test") == [5.2]
    assert log.ending.kind == "torn"
    assert any("inside an evaluation" in problem.message for problem in log.problems)


def test_a_validation_inside_an_epoch_knows_where_it_stands() -> None:
    log = read(
        "Epoch: [0][0/100] Loss 3.0 (3.0)\nVal loss: 2.9\nEpoch: [0][50/100] Loss 2.0 (2.5)\nVal loss: 1.9\n"
        "Epoch: [1][0/100] Loss 1.0 (1.0)\n"
    )
    assert column(log, "epoch", "Val loss") == [0, 0]
    assert column(log, "batch", "Val loss")[0] == 0
    assert math.isnan(column(log, "batch", "Val loss")[1])


def test_mnist_example() -> None:
    text = "".join(
        f"Train Epoch: {e} [0/1000 (0%)]\tLoss: {3 - e}.25\nTrain Epoch: {e} [640/1000 (64%)]\tLoss: {3 - e}.0\n\n"
        f"Test set: Average loss: 0.{e}5, Accuracy: {90 + e}/100 ({90 + e}%)\n\n"
        for e in (1, 2)
    )
    log = read(text)
    assert values(log, "Loss", "train") == [2.25, 2.0, 1.25, 1.0]
    assert column(log, "batches", "Loss") == [1000] * 4
    assert values(log, "Average loss", "test") == [0.15, 0.25]
    assert values(log, "Accuracy", "test") == [91, 92]
    assert column(log, "epoch", "Average loss") == [1, 2]
    assert claims(log_file(text)) == ["pytorch"]


HF = """***** Running training *****
  Num examples = 1,000
  Num Epochs = 2
  Instantaneous batch size per device = 32
  Total optimization steps = 64
\r   1%|          | 15/64 [00:09<00:10,  9.50it/s]      {'loss': 2.2666, 'grad_norm': 0.5, 'learning_rate': 1e-05, 'epoch': 0.47}
{'eval_loss': '1.9', 'eval_accuracy': '0.6', 'eval_runtime': '0.46', 'eval_samples_per_second': '694.2', 'epoch': '1.0'}
\r  50%|##        | 30/64 [00:20<00:10,  9.50it/s]      {'loss': nan, 'grad_norm': 0.5, 'learning_rate': 2e-05, 'epoch': 0.94}
{'train_runtime': 912.0376, 'train_samples_per_second': 43.858, 'train_loss': 1.2313217218816284, 'epoch': 2.0}
"""


def test_hugging_face_dicts_behind_bars() -> None:
    log = read(HF)
    assert values(log, "loss")[0] == 2.2666
    assert math.isnan(values(log, "loss")[1])
    assert column(log, "step", "loss") == [15, 30]
    assert column(log, "epoch", "eval_loss") == [1.0]
    assert meaning(log, "eval_loss") == {("loss", "val")}
    assert meaning(log, "learning_rate") == {("lr", "")}
    assert facts(log) == {"dataset_size": 1000, "epochs": 2, "batch_size": 32, "max_iter": 64}
    assert log.ending.kind == "finished"


def test_means_over_the_whole_run_are_no_points() -> None:
    assert values(read(HF), "train_loss") == []


# name: (text, {(tag, split): values}, {tag: {column: values}})
DIALECTS: dict[str, tuple[str, dict[tuple[str, str], list[float]], dict[str, dict[str, list[float]]]]] = {
    "epoch summary": (
        "Epoch 0/12 - train_loss: 3.3 - val_loss: 2.8 - lr: 0.1\nEpoch 1/12 - train_loss: 2.6 - val_loss: 2.6 - lr: 0.1\n",
        {("train_loss", "train"): [3.3, 2.6], ("val_loss", "val"): [2.8, 2.6], ("lr", ""): [0.1, 0.1]},
        {"val_loss": {"epoch": [0, 1]}},
    ),
    "splits for names": (
        "[001/20] train 4.5 val 2.3 (best 2.3 @ 1) lr 8.0e+00 16.1s\n[002/20] train 3.5 val 2.4 (best 2.3 @ 1) lr 8.0e+00 16.1s\n",
        {("train", "train"): [4.5, 3.5], ("val", "val"): [2.3, 2.4], ("lr", ""): [8, 8]},
        {"train": {"epoch": [1, 2]}},
    ),
    "iterations that start anew": (
        "epoch: 1, iter: 0, loss: 2.3, lr: 0.002\nepoch: 1, iter: 5, loss: 2.2, lr: 0.002\n  * val loss: 2.1 acc: 0.11\n"
        "epoch: 2, iter: 0, loss: 2.1, lr: 0.002\n  * val loss: 2.0 acc: 0.12\n",
        {("loss", "train"): [2.3, 2.2, 2.1], ("val loss", "val"): [2.1, 2.0], ("acc", "val"): [0.11, 0.12]},
        {"loss": {"batch": [0, 5, 0]}, "val loss": {"epoch": [1, 2]}},
    ),
    "steps that go on": (
        "2023-12-30 11:19:08,354 - t - INFO - Epoch 1 | step 0 | loss 2.31 | lr 8.000e-02\n"
        "2023-12-30 11:19:09,710 - t - INFO - Epoch 1 | validation | loss 2.27 | acc 0.09\n"
        "2023-12-30 11:19:10,354 - t - INFO - Epoch 2 | step 16 | loss 2.21 | lr 8.000e-02\n",
        {("loss", "train"): [2.31, 2.21], ("loss", "val"): [2.27], ("acc", "val"): [0.09]},
        {"lr": {"step": [0, 16], "wall_time": [1703935148, 1703935150]}},
    ),
    "word language model": (
        "| epoch   1 |   200/ 2983 batches | lr 20.0000 | ms/batch 11.77 | loss  9.09 | ppl  8835.03\n"
        "| end of epoch   1 | time: 36.35s | valid loss  5.61 | valid ppl   273.43\n",
        {("loss", "train"): [9.09], ("ppl", "train"): [8835.03], ("valid loss", "val"): [5.61], ("lr", ""): [20]},
        {"loss": {"batch": [200], "batches": [2983]}},
    ),
    "nanogpt": (
        "step 0: train loss 10.95, val loss 10.96\niter 0: loss 9.89, time 561.12ms, mfu 12.50%\niter 10: loss nan, time 1.0ms\n",
        {("train loss", "train"): [10.95], ("val loss", "val"): [10.96]},
        {"val loss": {"step": [0]}, "loss": {"step": [0, 10]}},
    ),
    "timm": (
        "Train: 0 [   0/32 (  0%)]  Loss: 2.35 (2.36)  Time: 0.1s,  320.0/s  (0.1s,  320.0/s)  LR: 2.0e-03  Data: 0.002 (0.002)\n"
        "Test: [   2/2]  Time: 0.050 (0.050)  Loss:   1.841 ( 1.851)  Acc@1:  73.667 ( 73.667)\n",
        {("Loss", "train"): [2.35], ("Loss (avg)", "test"): [1.851], ("LR", ""): [0.002]},
        {"Loss": {"epoch": [0], "batch": [0]}},
    ),
    "two counters in a bracket": (
        "[1,    15] loss: 0.798\nValidation loss: 0.652\n[2,    15] loss: 0.652\nValidation loss: 0.498\n",
        {("loss", "train"): [0.798, 0.652], ("Validation loss", "val"): [0.652, 0.498]},
        {"loss": {"epoch": [1, 2], "batch": [15, 15]}},
    ),
    "mmengine": (
        "2023-11-20 22:54:36,698 - mmengine - INFO - Epoch [1][1/63]\tlr: 2.000e-02, eta: 0:10:00, time: 0.538, memory: 512, loss: 2.32\n"
        "2023-11-20 22:54:36,698 - mmengine - INFO - Epoch(val) [1][3]\taccuracy_top-1: 74.0, loss: 1.2422\n",
        {("loss", "train"): [2.32], ("loss", "val"): [1.2422], ("accuracy_top-1", "val"): [74], ("lr", ""): [0.02]},
        {"accuracy_top-1": {"epoch": [1]}},
    ),
    "detectron2": (
        "[12/04 01:36:27 d2.utils.events]:  eta: 0:10:00  iter: 0  total_loss: 8.1  loss_cls: 2.28  time: 0.50  lr: 0.1  max_mem: 512M\n"
        "[12/04 01:36:51 d2.evaluation.testing]: copypaste: val_loss=2.6990,acc=0.1150\n",
        {("total_loss", "train"): [8.1], ("loss_cls", "train"): [2.28], ("val_loss", "val"): [2.699]},
        {"total_loss": {"step": [0]}},
    ),
    "sentences": (
        "Finished epoch 0 of 10 in 10.2 s; mean training loss was 3.967. Learning rate 0.002.\n    Validation: loss=2.929, acc=0.5\n",
        {("mean training loss", "train"): [3.967], ("loss", "val"): [2.929], ("Learning rate", ""): [0.002]},
        {"loss": {"epoch": [0]}},
    ),
    "epoch glued to its number": (
        "TRAIN in epoch 2 , step 550, loss = 2.116\nTEST in epoch24, loss = 3.63, acc = 45.5%\n",
        {("loss", "train"): [2.116], ("loss", "test"): [3.63], ("acc", "test"): [45.5]},
        {"acc": {"epoch": [24]}},
    ),
    "llm.c": (
        "s:0 tel:11.0092\ns:0 trl:11.0091 lr:0.000001 norm:15.37\ns:1 trl:10.9598 lr:0.000002 norm:15.24\n",
        {("trl", "train"): [11.0091, 10.9598], ("tel", "test"): [11.0092], ("norm", ""): [15.37, 15.24]},
        {"trl": {"step": [0, 1]}},
    ),
    "megatron": (
        " iteration     1737/  500000 | consumed samples:        18696 | elapsed time per iteration (ms): 1271.9 | learning rate: 2.7E-05"
        " | lm loss: 2.4E+00 | loss scale: 1.0 | grad norm: 0.599 | number of nan iterations:   0 |\n",
        {("lm loss", "train"): [2.4], ("learning rate", ""): [2.7e-05], ("grad norm", ""): [0.599]},
        {"lm loss": {"step": [1737]}},
    ),
    "fairseq": (
        "2020-10-10 10:00:00 | INFO | train_inner | epoch 001:    100 / 1102 loss=14.5, ppl=18900, wps=9000, num_updates=100, lr=1e-05\n"
        "2020-10-10 10:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 10.4 | ppl 900 | num_updates 1102\n",
        {("loss", "train"): [14.5], ("loss", "val"): [10.4], ("ppl", "val"): [900]},
        {"lr": {"step": [100], "batch": [100], "batches": [1102]}},
    ),
    "a record over several lines": (
        "--- Epoch 1/5 ---\nTrain Loss: 0.5 Train Acc: 80.1%\nVal Loss: 0.6 Val Acc: 78.0%\n"
        "Validation loss decreased (0.9000 --> 0.6000).  Saving model ...\n--- Epoch 2/5 ---\nTrain Loss: 0.4 Train Acc: 82%\n",
        {("Train Loss", "train"): [0.5, 0.4], ("Val Loss", "val"): [0.6], ("Val Acc", "val"): [78]},
        {"Train Loss": {"epoch": [1, 2]}},
    ),
    "a split announced by a header": (
        "Epoch 1\n-------\nloss: 2.30  [    0/60000]\nloss: 2.29  [ 6400/60000]\nTest Error: \n Accuracy: 44.7%, Avg loss: 2.15 \n"
        "Epoch 2\n-------\nloss: 2.20  [    0/60000]\n",
        {("loss", "train"): [2.3, 2.29, 2.2], ("Accuracy", "test"): [44.7], ("Avg loss", "test"): [2.15]},
        {"loss": {"batch": [0, 6400, 0], "epoch": [1, 1, 2]}},
    ),
    "an amount inside the name": (
        "Epoch: 5\nMean test loss of 63 batches: 2.554370630355108.\nAccuracy of the network on the 10000 test images: 54 %\n",
        {("Mean test loss", "test"): [2.554370630355108], ("Accuracy of the network", "test"): [54]},
        {"Mean test loss": {"epoch": [5]}},
    ),
    "names, then numbers": (
        "Epoch: [3][1/9]\tLoss 1.5 (1.6)\nloss_a,loss_b,loss_c 0.1 0.2 0.3\n",
        {("loss_a", ""): [0.1], ("loss_b", ""): [0.2], ("loss_c", ""): [0.3]},
        {"loss_a": {"epoch": [3]}},
    ),
    "tensors and thousands": (
        "step 1 | loss: tensor(2.25, device='cuda:0') | tok/sec: 870,000.12\nstep 1,002 | loss: np.float64(2.0) | tok/sec: 870,000.12\n",
        {("loss", "train"): [2.25]},
        {},
    ),
    "mxnet": (
        "INFO:root:Epoch[10] Batch [50]\tSpeed: 688.34 samples/sec\tTrain-accuracy=0.861250\nINFO:root:Epoch[10] Validation-accuracy=0.8\n"
        "INFO:root:Update[85801]: Change learning rate to 1.00000e-02\n",
        {("Train-accuracy", "train"): [0.86125], ("Validation-accuracy", "val"): [0.8]},
        {},
    ),
    "estimator": (
        "INFO:tensorflow:loss = 2.3, step = 100 (1.960 sec)\nINFO:tensorflow:loss = 2.3, step = 100 (1.960 sec)\n"
        "INFO:tensorflow:Saving dict for global step 101: accuracy = 0.35, global_step = 101, loss = 1.82\n",
        {("loss", "train"): [2.3], ("loss", "val"): [1.82], ("accuracy", "val"): [0.35]},
        {"accuracy": {"step": [101]}},
    ),
    "darknet": (
        "1: 692.5, 692.5 avg, 0.000000 rate, 2.318955 seconds, 64 images\n"
        "Region 82 Avg IOU: -nan, Class: -nan, Obj: -nan, No Obj: 0.537247, .5R: -nan, .75R: -nan,  count: 0\n"
        "2: 690.5, 692.3 avg, 0.000010 rate, 2.318955 seconds, 128 images\n",
        {("loss", "train"): [692.5, 690.5], ("lr", ""): [0, 0.00001]},
        {"loss": {"step": [1, 2]}},
    ),
    "reduced rate": (
        "Epoch 4: loss 0.5\nEpoch     4: reducing learning rate of group 0 to 1.0000e-04.\n",
        {("learning rate", ""): [0.0001]},
        {"learning rate": {"epoch": [4]}},
    ),
    "chinese": (
        "第 1 轮: 训练损失: 0.693, 验证损失: 0.701, 准确率: 50.1%\n第 2 轮: 训练损失: 0.593, 验证损失: 0.601, 准确率: 60.1%\n",
        {("训练损失", "train"): [0.693, 0.593], ("验证损失", "val"): [0.701, 0.601]},
        {"训练损失": {"epoch": [1, 2]}},
    ),
    "vertical table": (
        "| time/              |          |\n|    iterations      | 2        |\n| train/             |          |\n|    loss            | 12.3     |\n",
        {("loss", "train"): [12.3]},
        {"loss": {"step": [2]}},
    ),
    "dict over several lines": (
        "INFO:tensorflow:Step 100 per-step time 0.412s\nINFO:tensorflow:{'Loss/box_loss': 0.5,\n 'Loss/total_loss': 1.2,\n 'learning_rate': 0.01}\n",
        {("Loss/total_loss", ""): [1.2], ("learning_rate", ""): [0.01]},
        {"Loss/total_loss": {"step": [100]}},
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects(name: str) -> None:
    text, series, columns = DIALECTS[name]
    log = read(text)
    for (tag, split), expected in series.items():
        assert values(log, tag, split) == expected, (tag, split)
    for tag, wanted in columns.items():
        for which, expected in wanted.items():
            assert column(log, which, tag) == expected, (tag, which)


TABLES = {
    "fastai": "epoch     train_loss  valid_loss  accuracy  time    \n0         2.5         2.75        0.5       00:03   \n"
    "1         1.5         1.75        0.6       00:03   \n",
    "skorch": "  epoch    train_loss    valid_loss    cp     dur\n-------  ------------  ------------  ----  ------\n"
    "      1        \x1b[36m2.5000\x1b[0m        2.7500     +  1.9800\n      2        1.5000        1.7500        1.9800\n",
    "tab separated": "epoch\ttrain_loss\tvalid_loss\n0\t2.5\t\n0\t\t2.75\n1\t1.5\t1.75\n",
    "chainer": "epoch       iteration   main/train_loss  valid_loss\n1           600         2.5              2.75\n2  900  1.5  1.75\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_printed_tables(name: str) -> None:
    log = read(TABLES[name])
    assert [v for s in log.table.series if s.split == "train" for v in values(log, s.tag)] == [2.5, 1.5]
    assert values(log, "valid_loss") == [2.75, 1.75]
    assert meaning(log, "valid_loss") == {("loss", "val")}


def test_cells_that_outgrow_their_columns_are_told_apart() -> None:
    log = read(
        "epoch     train_loss  valid_loss  accuracy  time    \n1         2057.374097 11373.5978190.933333  00:03   \n"
    )
    assert values(log, "valid_loss") == [11373.597819]
    assert values(log, "accuracy") == [0.933333]


def test_yolo_console_tables_with_bars() -> None:
    log = read(
        "      Epoch    GPU_mem   box_loss   obj_loss  Instances       Size\n"
        "        0/2      3.35G    0.04379    0.06054         77        640: 100%|####| 8/8 [00:05<00:00,  1.55it/s]\n"
        "                 Class     Images  Instances          P      mAP50   mAP50-95: 100%|####| 4/4 [00:05<00:00,  1.55it/s]\n"
        "                   all        128        929      0.677      0.687      0.445\n"
    )
    assert values(log, "box_loss") == [0.04379]
    assert values(log, "mAP50", "val") == [0.687]
    assert column(log, "epoch", "mAP50-95") == [0]


def test_what_a_bar_says_counts_only_where_nothing_else_does() -> None:
    bar = "Epoch 0: 100%|##########| 200/200 [00:10<00:00, 10.0it/s, loss=2.3, v_num=0]\n"
    assert values(read(bar), "loss") == [2.3]
    assert values(read(bar + "Epoch 0: train loss 2.5\n"), "loss") == []


def test_repeated_lines_are_read_once_and_counted() -> None:
    log = read("step 1 loss 3\nstep 1 loss 3\nstep 2 loss 2\nstep 2 loss 2\n")
    assert values(log, "loss") == [3, 2]
    assert "2 lines repeat" in log.problems[0].message


def test_equal_losses_without_a_counter_are_no_copies() -> None:
    assert values(read("Epoch 3 - Batch loss: 0.5\n" * 3), "Batch loss") == [0.5] * 3


@pytest.mark.parametrize(
    ("tail", "kept"),
    [("iter 4 || Loss: 2.63 || ", [3.0, 2.9, 2.63]), ("iter 4 || Loss: 2.", [3.0, 2.9]), ("iter 4 || Lo", [3.0, 2.9])],
)
def test_a_torn_last_line(tail: str, kept: list[float]) -> None:
    log = read(f"iter 2 || Loss: 3.00 || timer: 0.2 sec.\niter 3 || Loss: 2.90 || timer: 0.2 sec.\n{tail}")
    assert values(log, "Loss") == kept
    assert log.ending.kind == "torn"


def test_a_whole_last_line_without_end_counts() -> None:
    log = read("iter 2 loss 3.00\niter 3 loss 2.90\niter 4 loss 2.63")
    assert values(log, "loss") == [3.0, 2.9, 2.63]
    assert log.ending.kind == "open"


def test_facts_stand_with_their_lines() -> None:
    log = read(
        "Namespace(batch_size=128, lr=0.1, momentum=0.9, wd=0.0001, optimizer='sgd', epochs=90, seed=3)\n"
        "  (bn1): BatchNorm2d(64, eps=1e-05, momentum=0.1)\nEpoch 1/90 loss 2.0\nEpoch 2/90 loss 1.0\n"
    )
    assert facts(log) == {
        "batch_size": 128, "base_lr": 0.1, "momentum": 0.9, "weight_decay": 0.0001, "optimizer": "sgd", "epochs": 90, "seed": 3,
    }  # fmt: skip
    assert {fact.line for fact in log.facts if fact.name == "momentum"} == {1}
    assert values(log, "lr") == []


def test_a_configuration_dump_between_runs_is_no_data() -> None:
    log = read("iter: 10, loss: 2.0\nSOLVER:\n  LR: 0.1\n  GAMMA: 0.5\niter: 10, loss: 1.0\niter: 20, loss: 0.5\n")
    assert {s.tag for s in log.table.series} == {"loss"}


def test_starts_of_processes() -> None:
    log = read("nohup: ignoring input\nNamespace(lr=1)\nepoch 1 loss 3\nResuming from epoch 1\nepoch 2 loss 2\n")
    assert log.starts == (1, 4)


NOT_LOGS = {
    "loss scaling": "OVERFLOW! Skipping step. Attempted loss scale: 65536, reducing to 32768\n" * 5,
    "code": "def step(loss=0.0, lr=0.1):\n    loss = 0.5\n    return loss * 2\n",
    "traceback": 'Traceback (most recent call last):\n  File "a.py", line 32, in loss\nValueError: 0 is not in list\n',
    "model": "(conv1): Conv2d(3, 64, kernel_size=(7, 7))\n(bn1): BatchNorm2d(64, eps=1e-05, momentum=0.1)\n",
    "shell": "+ python train.py --lr 0.1 SOLVER.BASE_LR 0.06\n++ set loss 3\n",
    "best so far": "best accuracy:  0.717 epoch:  67\nBest val loss: 0.5\n",
}


@pytest.mark.parametrize("name", NOT_LOGS)
def test_no_curve_is_invented(name: str) -> None:
    assert len(read(NOT_LOGS[name]).table) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.py", "loss: 0.5\nloss: 0.4\nepoch 1 loss 0.3\n"),
        ("paper.log", "This is pdfTeX, Version 3\nepoch 1 loss 2\nepoch 2 loss 1\n"),
        ("notes.txt", "The loss was low.\n"),
        ("log.json", '{"loss": 1}\n{"loss": 2}\n'),
    ],
)
def test_sniff_refuses_what_is_no_printed_log(name: str, text: str) -> None:
    assert PARSER.sniff(log_file(text, name)) is Match.NO


def test_sniff_is_unsure_of_home_made_prints() -> None:
    assert PARSER.sniff(log_file("epoch 1 loss 3\nepoch 2 loss 2\n")) is Match.MAYBE


def test_sniff_looks_behind_a_long_head() -> None:
    text = "model dump\n" * 10_000 + "epoch 1 loss 3\nepoch 2 loss 2\n"
    assert PARSER.sniff(log_file(text)) is Match.MAYBE
    assert PARSER.sniff(log_file("model dump\n" * 10_000)) is Match.NO
