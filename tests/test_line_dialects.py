"""Home-made print statements and files of trackers: small logs made from templates, and texts that are no training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from assembled import assemble

from logdoctor.reading import Read, read_file
from logdoctor.run import Curve, Run
from logdoctor_parsers import PARSERS, LogFile

TRAIN = (2.5, 1.9, 1.4, 1.1, 0.9, 0.8)
VAL = (2.6, 2.1, 1.7, 1.5, 1.45, 1.5)
RATES = (0.1, 0.1, 0.1, 0.01, 0.01, 0.01)

# What one epoch prints. `e`: its number from 1, `k`: iterations so far, `t`, `v`: the losses, `r`: the rate.
LINES = {
    "an epoch without a blank": "Ep{e:03d} loss={t:.4f} val_loss={v:.4f} lr={r}",
    "a name with a unit": "ep {e} loss {t:.4f}nats val {v:.4f}nats lr {r:.1e}",
    "columns of loss and accuracy": "[{e:03d}] LR {r:.2e} | Train {t:.4f}/0.41 | Val {v:.4f}/0.40",
    "a list of names": "epoch {e}/6 (08%) | loss[train, val, best] [ {t:.4f}, {v:.4f}, 1.0] | lr: {r:.2e} | 3m 12s left",
    "names after other words": "epoch: {e}, batch: all, cost: {t:.6f}, dev cost: {v:.6f}, lr: {r}",
    "one key whose value is a word": "INFO: Epoch {e}: head: default, loss={t:.8f}, val_loss={v:.8f}, lr={r}",
    "splits behind": "Epoch {e}: loss = {t:.4f} (train), {v:.4f} (val); acc = 0.9 (train), 0.8 (val); lr = {r}",
    "names behind in brackets": "epoch {e}: {t:.4f} (training loss), {v:.4f} (validation loss), lr = {r}",
    "a metric before its splits": "Epoch {e} loss: train {t:.4f}, val {v:.4f} | acc: train 0.91, val 0.88 | lr: {r}",
    "only the split of the second": "Epoch {e}: loss {t:.4f}, val {v:.4f}, lr {r}",
    "how many were seen": "Epochs seen: {e}\n\tlearning_rate: {r}\n\ttrain_objective: {t}\n\tvalid_objective: {v}",
    "polish": "Epoka {e}/6: strata treningowa: {t:.4f}, strata walidacyjna: {v:.4f}, współczynnik uczenia: {r}",
    "turkish": "Dönem {e}/6, Eğitim kaybı: {t:.4f}, Doğrulama kaybı: {v:.4f}, Öğrenme oranı: {r}",
    "an epoch named again": "Eval Epoch: {e} R@1: 0.4123\tval_loss: {v:.4f}\tlr: {r}\ttrain_loss: {t:.4f}\tepoch: {e}.0000",
    "batches of an epoch": "TRAIN Batch {e}/0 loss {t} loss_ctc 9.1 lr {r} rank 0\nCV Batch {e}/0 loss {v} rank 0",
    "evaluation under a header": (
        "Epoch {e}/6\nstep 50/50 - lr: {r} - loss: {t:.4f} - acc: 0.42 - 21ms/step\n"
        "Eval begin...\nstep 10/10 - loss: {v:.4f} - acc: 0.40 - 12ms/step"
    ),
    "a time called cost": "[Epoch {e}] Training cost: 123.4, SumLoss={t}, lr={r}\n[Epoch {e}] Validation: SumLoss={v}",
    "the perplexity of an evaluation": "epoch {e} loss: {t} lr: {r}\nepoch {e} perplexity: 9.9 eval_loss: {v}",
    "dashes behind names": (
        "Epoch: {e} lr: {r}\ntrain: 100%|##| 46/46 [00:23<00:00,  2.1it/s, dice_loss - {t:.4f}, iou_score - 0.4]\n"
        "valid: 100%|##| 9/9 [00:03<00:00,  2.1it/s, dice_loss - {v:.4f}, iou_score - 0.3]"
    ),
    "passes": "Pass {e}, Batch 0, Cost {t:f}, LR {r}\nTest with Pass {e}, Cost {v:f}, {{'error': 0.1}}",
    "a unit before a name": "train: epoch {e:02d}: 130.1 Hz objective: {t:.3f} lr: {r}\nval: epoch {e:02d}: 1.2 Hz objective: {v:.3f}",
    "a file before the names": "epoch {e}: ckpt/epoch_{e}.pth train_loss={t:.4f} lr={r} ckpt/epoch_{e}.pth val_loss={v:.4f}",
    "a machine before the date, file and line behind it": (
        "[gpu01:0/4] 2023-01-01 10:0{e}:00,123 (trainer:762) INFO: {e}epoch results: [train] loss={t:.4f},"
        " optim0_lr0={r}, [valid] loss={v:.4f}"
    ),
    "a day before its month": (
        "Sun 01 Jan 2023 10:00:0{e} INFO  epoch {e} training [time: 1.23s, train loss: {t:.4f}, lr: {r}]\n"
        "Sun 01 Jan 2023 10:00:0{e} INFO  epoch {e} evaluating [time: 0.12s, valid loss: {v:.4f}]"
    ),
    "what an evaluation found and the best so far": (
        "ppocr INFO: epoch: [{e}/6], global_step: {k}, lr: {r}, loss: {t}, avg_reader_cost: 0.001 s\n"
        "ppocr INFO: cur metric, loss: {v}, fps: 123.4\n"
        "ppocr INFO: best metric, loss: 9.5, is_float16: False, fps: 123.4, best_epoch: 1"
    ),
    "the best round told again": (
        "Epoch {e} |   Training | Elapsed Time: 0:01:23 | Steps: 100 | Loss: {t:.6f} | LR: {r}\n"
        "Epoch {e} | Validation | Elapsed Time: 0:00:12 | Steps: 10 | Loss: {v:.6f} | Dataset: dev.csv\n"
        "I Saved new best validating model with loss {v:.6f} to: /ckpt/best_dev-{k}"
    ),
    "short names": "Epoch {e} tl={t:.4f} vl={v:.4f} lr={r}",
    "an error of each epoch": "Epoch {e}\tError per Epoch = {t:.7f}, val error = {v}, lr = {r}",
    "a logger's name that holds a split": (
        "2024-03-05 10:12:07\tmi-test\tINFO\tTrain Epoch: {e} [0%]\n2024-03-05 10:12:07\tmi-test\tINFO\t[{k}, {r}]\n"
        "2024-03-05 10:12:07\tmi-test\tINFO\tloss={t}, val_loss={v}, lr={r}"
    ),
    "a program's own evaluation metric": (
        "Epoch[{e}] Learning rate is {r}\nEpoch[{e}] Evaluation metric 'epoch_loss'={t}\n"
        "Epoch[{e}] Evaluation metric 'validation_epoch_loss'={v}"
    ),
}
TABLES = {
    "a header of two rows": (
        "|  Epoch  |  Time Elapsed  |  Mini-batch  |  Validation  |  Base Learning  |\n"
        "|         |   (hh:mm:ss)   |     Loss     |     Loss     |      Rate       |\n|====|",
        "|       {e} |       00:00:10 |       {t:.4f} |       {v:.4f} |          {r:.4f} |",
    ),
    "a data frame": ("   epoch  train_loss  val_loss       lr", "0      {e}    {t:.6f}  {v:.6f}  {r:.6f}"),
    "a column for the split": ("epoch  split    loss     lr", "{e}  train  {t}  {r}\n{e}  valid  {v}  {r}"),
    "names of two words": (
        " Epoch id    Train Loss     Valid Loss    Learning Rate",
        "    {e}      {t:.6f}     {v:.6f}      {r}",
    ),
    "parts of a detector's loss": (
        "     Epoch   gpu_mem       obj       cls     total    val_loss    lr  img_size",
        "       {e}/6     10.1G   0.1    0.2   {t:.4f}   {v:.4f}   {r}    640",
    ),
    "words of another language, decimal commas": ("Epoche;Trainingsverlust;Validierungsverlust;Lernrate", "{e};{t};{v};{r}"),
    "one number a row": ("epoch,split,metric,value", "{e},train,loss,{t}\n{e},val,loss,{v}\n{e},train,lr,{r}"),
    "names and variants": ("Metric,Variant,Epoch,Value", "loss,train,{e},{t}\nloss,validation,{e},{v}\nlr,lr,{e},{r}"),
}  # fmt: skip
STEPPED = {
    "a step before the split": ("{k} train {t:.6f}\n{k} val {v:.4f}\n{k} hella 0.2567", True),
    "step and time": ("[{k} | {k}.55] loss={t:.2f} val_loss={v:.2f}", True),
    "after so many": ("Iteration {k} of 60: Loss={t:.5f}\nValidation after {k} iterations: Loss={v:.5f}", True),
    "a name, a step and a value": ("[scalar] loss/train {k} {t:.5f}\n[scalar] loss/val {k} {v:.5f}", True),
    "a name as a value": ("EMIT metric=train_loss step={k} value={t}\nEMIT metric=val_loss step={k} value={v}", True),
    "completed steps": (
        "completed step: {k}, seconds: 1.234, total_weights: 65536, loss: {t:.3f}\n"
        "eval metrics after step: {k}, loss={v:.3f}, total_weights=12345.0",
        True,
    ),
    "values in brackets": (
        "Step      Train loss    Test loss     Test metric\n{k:<10}[{t:.2e}]    [{v:.2e}]    []",
        True,
    ),
    "a value": ("iter {k:4d} value {t:.6f}", False),
    "a tutorial's keyless line": ("0m 33s (- 8m 20s) ({k} 6%) {t:.4f}", False),
    "so many processed": ("{k} batches processed, running loss: {t:.4f}", False),
}
EPOCHS = [
    {"e": e, "k": 10 * e, "t": t, "v": v, "r": r} for e, (t, v, r) in enumerate(zip(TRAIN, VAL, RATES, strict=True), 1)
]


def run_of(text: str, name: str = "train.log") -> Run:
    found = read_file(LogFile(Path(name), name, text.encode()), PARSERS)
    assert isinstance(found, Read), found.reason
    (run,), _ = assemble([found], Path())
    return run


def values(curve: Curve | None) -> list[float]:
    return [] if curve is None else curve.value.tolist()


def curves(run: Run) -> dict[str, list[float]]:
    return {"train": values(run.train), "val": values(run.val), "lr": values(run.lr)}


@pytest.mark.parametrize("name", LINES)
def test_lines(name: str) -> None:
    run = run_of("".join(LINES[name].format_map(epoch) + "\n" for epoch in EPOCHS))
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}
    assert run.train is not None
    assert run.axis.unit == "epoch"
    assert run.train.x.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str) -> None:
    head, row = TABLES[name]
    rows = [row.format_map(epoch) for epoch in EPOCHS]
    rows = [each.replace(".", ",") if ";" in row else each for each in rows]
    run = run_of("\n".join([head, *rows]) + "\n", "train.csv" if "," in head or ";" in head else "train.log")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}


@pytest.mark.parametrize("name", STEPPED)
def test_lines_that_count_steps(name: str) -> None:
    template, validated = STEPPED[name]
    run = run_of("".join(template.format_map(epoch) + "\n" for epoch in EPOCHS))
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL] if validated else [], "lr": []}
    assert run.axis.unit == "step"


BARS = {  # described by a name of their own, or by epoch and step
    "{e}|{k}|Loss: {t:.4f}: 100%|##| 10/10 [00:12<00:00,  1.23s/it]": "Loss",
    "steps:  8%|#  | {k}/120 [00:12<02:00,  1.23it/s, avr_loss={t:.4f}]": "avr_loss",
    "Epoch 0: :  10%|#  | {k}/1000 [00:12<01:00, v_num=0, reduced_train_loss={t:.3f}, global_step={k}.0]": (
        "reduced_train_loss"
    ),
}


@pytest.mark.parametrize("template", BARS)
def test_bars_with_steps(template: str) -> None:
    run = run_of("".join(template.format_map(epoch) + "\n" for epoch in EPOCHS))
    (curve,) = run.curves
    assert (curve.tag, curve.metric, curve.split) == (BARS[template], "loss", "train")
    assert curve.step.tolist() == [10, 20, 30, 40, 50, 60]
    assert curve.value.tolist() == [*TRAIN]


@pytest.mark.parametrize(
    "name",
    [
        "a machine before the date, file and line behind it",
        "the best round told again",
        "what an evaluation found and the best so far",
    ],
)
def test_words_before_a_message_name_no_series(name: str) -> None:
    run = run_of("".join(LINES[name].format_map(epoch) + "\n" for epoch in EPOCHS))
    assert {curve.metric for curve in run.curves} == {"loss", "lr"}
    assert [curve.split for curve in run.curves].count("val") == 1


@pytest.mark.parametrize("stamp", ["", "2024-03-05 10:12:07,123 "])
@pytest.mark.parametrize("decimals", [3, 4])
def test_decimal_commas(decimals: int, stamp: str) -> None:
    lines = [
        f"Epoche {e['e']}/6 - Verlust: {e['t']:.{decimals}f} - Val.-Verlust: {e['v']:.{decimals}f}" for e in EPOCHS
    ]
    run = run_of("".join(f"{stamp}{line.replace('.', ',').replace('Val,', 'Val.')}\n" for line in lines))
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": []}


def test_commas_that_part_thousands_are_no_decimal_ones() -> None:
    lines = [f"step {e['e']} seen 1{e['e']},500 images, loss {e['t']:.3f}, speed: 1,234" for e in EPOCHS]
    assert curves(run_of("\n".join(lines)))["train"] == [*TRAIN]


def test_a_line_about_two_splits_announces_none() -> None:
    lines = ["Train dataset: 1600 images, val dataset: 400 images"]
    lines += [f"(Iteration {e['k']} / 60) loss: {e['t']}" for e in EPOCHS]
    assert curves(run_of("\n".join(lines) + "\n")) == {"train": [*TRAIN], "val": [], "lr": []}


@pytest.mark.parametrize(
    "names", ["tr_loss,te_loss", "trainloss,testloss", "training_loss,holdout_loss", "lossTrain,lossVal"]
)
def test_names_of_columns(names: str) -> None:
    run = run_of(f"epoch,{names}\n" + "".join(f"{e['e']},{e['t']},{e['v']}\n" for e in EPOCHS), "log.csv")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": []}


def test_scores_named_by_their_split_only() -> None:
    run = run_of(
        "".join(f"Epoch: {e:03d}, Loss: {3 / e:.4f}, Train: 0.{e}5, Val: 0.{e}3, Test: 0.{e}2\n" for e in range(1, 9))
    )
    assert values(run.train)[0] == 3.0
    assert values(run.val)[:2] == [0.13, 0.23]
    assert {c.tag for c in run.curves if c.metric == "loss"} == {"Loss"}


def test_generators_before_discriminators() -> None:
    rows = [{"Loss/D/loss": {"mean": 1.5}, "Loss/G/loss": {"mean": 2.0 / i}, "tick": i, "step": i} for i in range(1, 6)]
    run = run_of("".join(json.dumps(row) + "\n" for row in rows), "stats.jsonl")
    assert run.train is not None
    assert run.train.tag == "Loss/G/loss"


def test_objects_behind_the_name_of_their_logger() -> None:
    rows = [{"type": "LOG", "step": [e["e"], 50], "data": {"train.loss": e["t"], "train.lr": e["r"]}} for e in EPOCHS]
    rows += [{"type": "LOG", "step": [e["e"]], "data": {"val.loss": e["v"]}} for e in EPOCHS]
    run = run_of("".join(f"DLLL {json.dumps(row)}\n" for row in rows), "log.json")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}


def test_series_as_lists_of_steps_and_values() -> None:
    document = {
        name: {"steps": [e["e"] for e in EPOCHS], "timestamps": ["2024-01-01"] * 6, "values": [e[key] for e in EPOCHS]}
        for name, key in (("training.loss", "t"), ("validation.loss", "v"), ("lr", "r"))
    }
    text = json.dumps(document, indent=1)
    run = run_of(text, "metrics.json")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}
    assert run.train is not None
    assert "2.5" in text.splitlines()[int(run.train.line[0]) - 1]


def test_lists_under_the_names_of_splits() -> None:
    document = {"train": {"loss": TRAIN, "acc": VAL}, "val": {"loss": VAL, "acc": TRAIN}}
    assert curves(run_of(json.dumps(document), "history.json")) == {"train": [*TRAIN], "val": [*VAL], "lr": []}


@pytest.mark.parametrize("time", [[], [1700000000.5]])
def test_lists_of_steps_and_values(time: list[float]) -> None:
    document = {
        f"loss/{split}": [[*time, e["k"], e[key]] for e in EPOCHS] for split, key in (("train", "t"), ("val", "v"))
    }
    run = run_of(json.dumps(document), "all.json")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": []}
    assert run.train is not None
    assert run.train.x.tolist() == [10, 20, 30, 40, 50, 60]


def test_the_chart_of_a_tracker() -> None:
    head = "train/loss (step),train/loss (timestamp),train/loss (value)\n"
    run = run_of(head + "".join(f"{e['k']},{1700000000000 + e['e']},{e['t']}\n" for e in EPOCHS), "chart.csv")
    assert curves(run) == {"train": [*TRAIN], "val": [], "lr": []}
    assert run.axis.unit == "step"


def test_rows_in_envelopes() -> None:
    rows = [
        {"event": event, "ts": 1_600_000_000 + epoch["k"], "payload": {"step": epoch["k"], **payload}}
        for epoch in EPOCHS
        for event, payload in (("train", {"loss": epoch["t"], "lr": epoch["r"]}), ("eval", {"loss": epoch["v"]}))
    ]
    run = run_of("".join(json.dumps(row) + "\n" for row in rows), "train.jsonl")
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}
    assert run.train is not None
    assert run.train.step.tolist() == [10, 20, 30, 40, 50, 60]
    assert run.train.wall_time[0] == 1_600_000_010


def test_times_in_an_object_of_their_own_are_no_steps() -> None:
    rows = [{"loss": epoch["t"], "time": {"iter": 0.25, "data": 0.01}} for epoch in EPOCHS]
    run = run_of("".join(json.dumps(row) + "\n" for row in rows), "train.jsonl")
    assert run.train is not None
    assert {curve.tag for curve in run.curves} == {"loss", "time/iter", "time/data"}


@pytest.mark.parametrize("name", ["val_loss.csv", "run-version_0-tag-val_loss.csv"])
def test_downloads_from_tensorboard_are_called_after_what_they_hold(name: str) -> None:
    text = "Wall time,Step,Value\n" + "".join(f"1600000000.5,{e['k']},{e['v']}\n" for e in EPOCHS)
    run = run_of(text, name)
    assert values(run.val) == [*VAL]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("time/total_timesteps,rollout/ep_rew_mean,train/loss,train/value_loss", "{k},{v},{t},9.5"),
        ("Epoch\tAverageEpRet\tTotalEnvInteracts\tLoss", "{e}\t{v}\t{k}\t{t}"),
        ("training_iteration,episode_reward_mean,loss", "{k},{v},{t}"),
    ],
)
def test_tables_of_reinforcement_learning(head: str, row: str) -> None:
    run = run_of("\n".join([head, *(row.format_map(epoch) for epoch in EPOCHS)]) + "\n", "progress.csv")
    found = {curve.metric: curve for curve in run.curves}
    assert found["reward"].value.tolist() == [*VAL]
    assert found["reward"].step.tolist() == [10, 20, 30, 40, 50, 60]
    assert values(run.train) == [*TRAIN]


def test_lines_that_docker_keeps() -> None:
    lines = [f"epoch {e['e']} train_loss {e['t']} val_loss {e['v']}\n" for e in EPOCHS]
    text = "".join(
        json.dumps({"log": line, "stream": "stdout", "time": "2024-03-05T10:12:07Z"}) + "\n" for line in lines
    )
    assert curves(run_of(text, "0a1b-json.log")) == {"train": [*TRAIN], "val": [*VAL], "lr": []}


def test_a_rate_told_again_by_an_evaluation_counts_once() -> None:
    rows = [{"mode": "train", "epoch": e["e"], "iter": 9, "loss": e["t"], "lr": e["r"]} for e in EPOCHS]
    rows += [{"mode": "val", "epoch": e["e"], "iter": 9, "mAP": 0.5, "lr": e["r"]} for e in EPOCHS]
    rows.sort(key=lambda row: float(str(row["epoch"])))
    assert values(run_of("".join(json.dumps(row) + "\n" for row in rows), "log.json").lr) == [*RATES]


def runs_under(folder: Path, files: Mapping[str, str]) -> list[Run]:
    reads = []
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        reads.append(read_file(LogFile(folder / name, name), PARSERS))
    assert all(isinstance(read, Read) for read in reads)
    return assemble([read for read in reads if isinstance(read, Read)], folder)[0]


def test_files_of_one_metric_each(tmp_path: Path) -> None:
    files = {
        f"mlruns/0/ab/metrics/{name}": "".join(f"{1700000000000 + e['e']} {e[key]} {e['e']}\n" for e in EPOCHS)
        for name, key in (("train/loss", "t"), ("val_loss", "v"), ("lr", "r"))
    }
    (run,) = runs_under(tmp_path, files)
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": [*RATES]}


def test_files_of_one_epoch_each(tmp_path: Path) -> None:
    files = {
        f"metrics_epoch_{e['e']}.json": json.dumps(
            {"epoch": e["e"], "training_loss": e["t"], "validation_loss": e["v"], "best_validation_loss": 1.45},
            indent=1,
        )
        for e in [*EPOCHS, {"e": 11, "t": 0.7, "v": 1.6}]
    }
    (run,) = runs_under(tmp_path, files)
    assert curves(run) == {"train": [*TRAIN, 0.7], "val": [*VAL, 1.6], "lr": []}


def test_a_table_that_goes_on_in_a_file_without_a_header(tmp_path: Path) -> None:
    rows = [f"{e['k']}\t{e['t']}\t{e['v']}\n" for e in EPOCHS]
    first = "step\tloss\tval_loss\n" + "".join(rows[:4])
    (run,) = runs_under(tmp_path, {"run.tsv": first, "run_resume.tsv": "Resuming from 40\n" + "".join(rows[4:])})
    assert curves(run) == {"train": [*TRAIN], "val": [*VAL], "lr": []}


NO_TRAINING = {
    "a web server's log": '1.2.3.4 - - [05/Mar/2024] "GET /train/loss?step={i} HTTP/1.1" 200 51{i} rt=0.12{i}',
    "a service's figures": "2024-03-05 10:12:07 INFO request_id={i} latency=0.12{i} error_rate=0.01{i} user={i}",
    "a network": "2024-03-05 10:12:07 monitor: eth0 packet loss 0.{i}1% jitter 0.2{i} ms",
    "a simulation": "Step {i} Temp 1.4{i} TotEng -4.6{i} Press 5.2{i}",
    "a solver": "Time = {i}\nSolving for Ux, Initial residual = 0.1{i}, Final residual = 0.00{i}, No Iterations 3",
    "a search": "[CV {i}/5] END ......C=0.{i}, kernel=rbf;, score=0.9{i} total time=   0.1s",
    "trades": "trade {i}: profit 1.{i}2, loss 0.{i}5, balance 100{i}.5",
    "orders": "order {i}: stop loss {i}0.25 take profit {i}1.75",
    "a comparison of files": "n:{i} mse_avg:1.2{i} mse_y:1.3{i} psnr_avg:40.1{i} psnr_y:41.2{i}",
}
NO_TABLES = {
    "a benchmark": (
        "model     batch   fps     latency   accuracy\n",
        "net{i}      {i}      10.{i}    1.2{i}    0.7{i}",
    ),
    "a simulation": ("Step Temp E_pair TotEng Press\n", "  {i}00  1.44{i} -6.7{i} -4.6{i} -5.2{i}"),
    "costs": ("service,cost,rate\n", "db-{i},10{i}.12,0.{i}"),
    "a long table of other things": ("step,name,value\n", "{i},temperature,2{i}.5"),
}


@pytest.mark.parametrize("name", NO_TRAINING)
def test_texts_that_are_no_training(name: str) -> None:
    text = "".join(NO_TRAINING[name].format(i=i) + "\n" for i in range(1, 10))
    assert not isinstance(read_file(LogFile(Path("x.log"), "x.log", text.encode()), PARSERS), Read)


@pytest.mark.parametrize("name", NO_TABLES)
def test_tables_that_are_no_training(name: str) -> None:
    head, row = NO_TABLES[name]
    text = head + "".join(row.format(i=i) + "\n" for i in range(1, 10))
    name = "x.csv" if "," in head else "x.txt"
    assert not isinstance(read_file(LogFile(Path(name), name, text.encode()), PARSERS), Read)


@pytest.mark.parametrize(
    "item", [{"loss": 0.3, "epoch": 12, "_step": 600, "_runtime": 12.5}, {"loss_weight": [1, 2, 3]}]
)
def test_summaries_and_settings_are_no_log(item: dict[str, object]) -> None:
    name = "wandb-summary.json"
    assert not isinstance(read_file(LogFile(Path(name), name, json.dumps(item).encode()), PARSERS), Read)


def test_rows_of_a_conversation_are_no_log() -> None:
    text = "".join(json.dumps({"role": "user", "id": i, "score": 0.5}) + "\n" for i in range(9))
    assert not isinstance(read_file(LogFile(Path("x.jsonl"), "x.jsonl", text.encode()), PARSERS), Read)
