"""CSV tables of other trainers, and tables that are no logs."""

from __future__ import annotations

import math

import pytest

from logdoctor_parsers.csv_table import PARSER
from tests.parsed import claims, column, facts, log_file, meaning, recognised, values

LIGHTNING = """epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_loss
,0.003,0,,,
0,,49,,0.5,
0,,99,,0.25,
0,,99,,,0.75
0,,99,0.375,,
"""


def test_sparse_rows() -> None:
    file = log_file(LIGHTNING, "metrics.csv")
    log = PARSER.parse(file)
    assert claims(file) == ["csv"]
    assert log.dialect == "Lightning metrics"
    assert values(log, "train_loss_step") == [0.5, 0.25]
    assert column(log, "step", "train_loss_step") == [49, 99]
    assert column(log, "line", "val_loss") == [5]
    assert math.isnan(column(log, "epoch", "lr-Adam")[0])
    assert meaning(log, "lr-Adam") == {("lr", "")}
    assert meaning(log, "train_loss_epoch") == {("loss", "train")}


def test_summary_of_another_trainer() -> None:
    log = PARSER.parse(log_file("epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2.5,2.0,60.0,90.0,0.1\n"))
    assert meaning(log, "eval_loss") == {("loss", "val")}
    assert meaning(log, "eval_top1") == {("accuracy", "val")}
    assert meaning(log, "eval_top5") == {("accuracy_top5", "val")}


def test_a_bare_name_beside_its_validation_twin_is_training() -> None:
    log = PARSER.parse(log_file("epoch,loss,acc,val_loss,val_acc\n1,0.5,0.9,0.6,0.8\n"))
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "acc") == {("accuracy", "train")}


def test_a_bare_name_alone_stays_unsaid() -> None:
    assert meaning(PARSER.parse(log_file("epoch,loss,time\n1,0.5,3\n2,0.4,3\n")), "loss") == {("loss", "")}


def test_meter_values_are_no_validation() -> None:
    header = "epoch,loss_avg,loss_val,distillation_loss_avg,distillation_loss_val,grad_norm_avg,grad_norm_val"
    log = PARSER.parse(log_file(f"{header}\n0,-0.5,-0.6,0.3,0.2,nan,8.5\n"))
    assert all(s.split != "val" for s in log.table.series)
    assert meaning(log, "loss_avg") == {("loss", "")}
    assert meaning(log, "loss_val") == {("loss_value", "")}
    assert math.isnan(values(log, "grad_norm_avg")[0])


def test_yolo_results() -> None:
    rows = [
        "epoch train/box_loss train/cls_loss metrics/mAP50(B) metrics/mAP50-95(B) val/box_loss val/cls_loss lr/pg0",
        "0 1.5 2.25 0.25 0.125 1.0 2.0 0.07",
        "1 1.25 2.0 0.5 0.25 0.5 1.5 0.01",
    ]
    padded = "\n".join(",".join(cell.rjust(23) for cell in row.split()) for row in rows) + "\n"
    log = PARSER.parse(log_file(padded, "results.csv"))
    assert log.dialect == "Ultralytics YOLO results"
    assert values(log, "train/box_loss + train/cls_loss") == [3.75, 3.25]
    assert meaning(log, "train/box_loss + train/cls_loss") == {("loss", "train")}
    assert values(log, "val/box_loss + val/cls_loss") == [3.0, 2.0]
    assert meaning(log, "metrics/mAP50-95(B)") == {("map", "val")}
    assert meaning(log, "train/box_loss") == {("box_loss", "train")}
    assert meaning(log, "lr/pg0") == {("lr", "")}


def test_losses_of_unknown_weight_are_not_added_up() -> None:
    log = PARSER.parse(log_file("epoch,train/d_loss,train/g_loss\n1,0.5,0.6\n2,0.4,0.5\n"))
    assert {s.metric for s in log.table.series} == {"d_loss", "g_loss"}


def test_validation_accuracy_table_with_byte_order_mark() -> None:
    file = log_file(b"\xef\xbb\xbfepoch\thours\ttop1Accuracy\r\n1\t0.01\t43.18\r\n2\t0.02\t48.73\r\n")
    log = PARSER.parse(file)
    assert claims(file) == ["csv"]
    assert meaning(log, "top1Accuracy") == {("accuracy", "val")}
    assert column(log, "epoch", "top1Accuracy") == [1, 2]


def test_pandas_dump_counts_epochs_in_its_unnamed_index() -> None:
    file = log_file(",loss,accuracy,val_loss,val_accuracy\n0,0.5,0.8,0.6,0.7\n1,0.4,0.9,0.5,0.8\n", "history.csv")
    log = PARSER.parse(file)
    assert claims(file) == ["csv"]
    assert column(log, "epoch", "loss") == [0, 1]
    assert {s.tag for s in log.table.series} == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_no_index_at_all() -> None:
    log = PARSER.parse(log_file("loss,val_loss\n0.5,0.6\n0.4,0.5\n"))
    assert values(log, "loss") == [0.5, 0.4]
    assert all(math.isnan(epoch) for epoch in column(log, "epoch", "loss"))


def test_chained_names() -> None:
    log = PARSER.parse(log_file("epoch,iteration,main/loss,validation/main/loss\n1,600,0.5,\n2,1200,0.4,0.45\n"))
    assert meaning(log, "main/loss") == {("loss", "train")}
    assert values(log, "validation/main/loss") == [0.45]
    assert column(log, "step", "main/loss") == [600, 1200]


def test_counter_that_restarts_each_epoch_is_a_batch() -> None:
    log = PARSER.parse(log_file("epoch,iter,loss\n1,0,0.9\n1,50,0.8\n2,0,0.7\n2,50,0.6\n3,0,0.5\n"))
    assert column(log, "batch", "loss") == [0, 50, 0, 50, 0]
    assert all(math.isnan(step) for step in column(log, "step", "loss"))


def test_roles_in_a_column() -> None:
    rows = "1,train,0.9,0.5\n1,val,0.8,0.6\n2,train,0.7,0.7\n2,val,0.75,0.65\n"
    log = PARSER.parse(log_file(f"epoch,phase,loss,accuracy\n{rows}"))
    assert values(log, "loss", "train") == [0.9, 0.7]
    assert values(log, "loss", "val") == [0.8, 0.75]


def test_times_become_posix_seconds() -> None:
    log = PARSER.parse(log_file("step,timestamp,loss\n1,2024-01-01 00:00:00,0.5\n2,2024-01-01 00:01:00,0.4\n"))
    assert column(log, "wall_time", "loss") == [1704067200.0, 1704067260.0]


def test_relative_times_stay_a_column() -> None:
    log = PARSER.parse(log_file("epoch,train_loss,time\n1,0.5,0.0\n2,0.4,12.5\n"))
    assert values(log, "time") == [0.0, 12.5]
    assert all(math.isnan(when) for when in column(log, "wall_time", "train_loss"))


def test_decimal_commas_percent_and_tensors() -> None:
    log = PARSER.parse(log_file("epoch;train_loss;acc\n1;0,51;93,5\n2;0,41;94,0\n"))
    assert values(log, "train_loss") == [0.51, 0.41]
    rows = "1,\"tensor(0.5, device='cuda:0')\",93.5%\n2,tensor(0.25),94.0%\n"
    log = PARSER.parse(log_file(f"epoch,train_loss,acc\n{rows}"))
    assert values(log, "train_loss") == [0.5, 0.25]
    assert values(log, "acc") == [93.5, 94.0]


def test_text_columns_are_left_out_with_a_note_and_stray_text_is_a_problem() -> None:
    log = PARSER.parse(log_file("epoch,model,train_loss\n1,resnet,0.5\n2,resnet,oops\n3,resnet,0.4\n"))
    assert values(log, "train_loss") == [0.5, 0.4]
    assert [problem.line for problem in log.problems] == [3, 1]
    assert log.unreadable == 1


def test_settings_in_columns_are_facts() -> None:
    log = PARSER.parse(log_file("epoch,train_loss,batch_size,seed\n1,0.5,32,7\n2,0.4,32,7\n"))
    assert facts(log) == {"batch_size": 32, "seed": 7}


def test_series_downloaded_from_tensorboard() -> None:
    file = log_file("Wall time,Step,Value\n1700000000.5,10,0.5\n1700000010.5,20,0.4\n", "run-a-tag-train_loss.csv")
    log = PARSER.parse(file)
    assert claims(file) == ["csv"]
    assert values(log, "train_loss") == [0.5, 0.4]
    assert column(log, "step", "train_loss") == [10, 20]
    assert column(log, "wall_time", "train_loss") == [1700000000.5, 1700000010.5]


def test_metrics_without_a_split_are_validation_where_the_tool_says_so() -> None:
    rows = "0,0.5,0.6,0.8,00:12\n1,0.4,0.5,0.9,00:12\n"
    log = PARSER.parse(log_file(f"epoch,train_loss,valid_loss,accuracy,time\n{rows}"))
    assert meaning(log, "accuracy") == {("accuracy", "val")}
    assert meaning(log, "train_loss") == {("loss", "train")}
    assert log.problems == ()


def test_chart_downloaded_with_extremes() -> None:
    head = '"Step","calm-sun-3 - train/loss","calm-sun-3 - train/loss__MIN","calm-sun-3 - train/loss__MAX"'
    file = log_file(f'{head}\n"0","0.5","0.25","0.75"\n"10","0.4","0.4","0.4"\n')
    log = PARSER.parse(file)
    assert claims(file) == ["csv"]
    assert [(s.metric, s.split) for s in log.table.series] == [("loss", "train")]
    assert column(log, "step", "calm-sun-3 - train/loss") == [0, 10]


def test_training_loss_without_a_counter_is_enough() -> None:
    header = "time/fps,rollout/ep_rew_mean,train/loss,time/time_elapsed"
    file = log_file(f"{header}\n100,1.5,0.5,2048\n100,2.5,0.4,4096\n")
    assert claims(file) == ["csv"]
    assert all(math.isnan(step) for step in column(PARSER.parse(file), "step", "train/loss"))


def test_comment_before_the_header() -> None:
    log = PARSER.parse(log_file("# epoch\tloss\tval_loss\n1\t0.5\t0.6\n"))
    assert values(log, "val_loss") == [0.6]


@pytest.mark.parametrize(
    "text",
    [
        "sepal_length,sepal_width,species\n5.1,3.5,setosa\n",
        "time,acc_x,acc_y,acc_z\n0.1,1,2,3\n",
        "id,price,rate,score\n1,3.5,1,2\n",
        "epoch,ra,dec\n2000,1,2\n",
        "1,0.5,0.6\n2,0.4,0.5\n",
        "name,weight loss,age\nAnn,3.5,40\n",
        "Dear all, the loss, as you know, is large\nYours, B\n",
        "",
        "\x00\x01\x02,\x03",
    ],
)
def test_tables_that_are_no_logs(text: str) -> None:
    assert not recognised(log_file(text, "data.csv"))


def test_header_alone_gives_an_empty_table() -> None:
    log = PARSER.parse(log_file("epoch,train_loss,val_loss\n"))
    assert len(log.table) == 0


def test_truncation_anywhere_invents_no_value() -> None:
    whole = PARSER.parse(log_file(LIGHTNING))
    true = {(s.tag, v) for s in whole.table.series for v in values(whole, s.tag)}
    for size in range(LIGHTNING.index("\n") + 1, len(LIGHTNING)):
        log = PARSER.parse(log_file(LIGHTNING[:size]))
        assert {(s.tag, v) for s in log.table.series for v in values(log, s.tag)} <= true
