"""Checkpoints: what was saved where, in many dialects; what to restart from, and which is nearest the best epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from logdoctor.checkpoints import last_checkpoint, nearest_checkpoint
from logdoctor.options import Options
from logdoctor.read import read_runs
from logdoctor.run import Run
from logdoctor_parsers.checkpoints import checkpoint_in, checkpoints_in
from logdoctor_parsers.text import lines_of


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("Epoch 00012: val_loss improved from 0.91 to 0.88, saving model to w/best.12.hdf5", "w/best.12.hdf5"),
        ("Saving model checkpoint to out/checkpoint-500", "out/checkpoint-500"),
        ("Model weights saved in out/checkpoint-500/pytorch_model.bin", "out/checkpoint-500/pytorch_model.bin"),
        ("Epoch 3, global step 12: 'val_loss' reached 0.1, saving model to '/a b/epoch=3-step=12.ckpt' as top 1",
         "/a b/epoch=3-step=12.ckpt"),
        ("[06/11 10:00:00 fvcore]: Saving checkpoint to ./output/model_0004999.pth", "./output/model_0004999.pth"),
        ("The best checkpoint with 0.5 mAP at 12 epoch is saved to best_mAP_epoch_12.pth.", "best_mAP_epoch_12.pth"),
        ("Saved checkpoint ckpt/checkpoint12.pt (epoch 12 @ 1234 updates, score 3.2)", "ckpt/checkpoint12.pt"),
        ("  successfully saved checkpoint at iteration    1000 to checkpoints/gpt2", "checkpoints/gpt2"),
        ("saving checkpoint to out", "out"),
        ("INFO:tensorflow:Saving checkpoints for 1000 into /tmp/run/model.ckpt.", "/tmp/run/model.ckpt"),
        ("Saving weights to backup/yolov3_1000.weights", "backup/yolov3_1000.weights"),
        ('INFO:root:Saved checkpoint to "model/net-0010.params"', "model/net-0010.params"),
        ("INFO output/ckpt_epoch_3.pth saved !!!", "output/ckpt_epoch_3.pth"),
        ("Save best model at save/model_best.pth.tar== [5]", "save/model_best.pth.tar"),
        (r"Saving checkpoint to .\checkpoints\model_500.pth", r".\checkpoints\model_500.pth"),
        ("Best validation performance so far. Copying weights to 'runs/best.th'.", "runs/best.th"),
        ("Wrote snapshot to: output/vgg16_iter_3000.caffemodel", "output/vgg16_iter_3000.caffemodel"),
        ("Saving checkpoint at 12 epochs", ""),
        ("iter 5000 || Loss: 1.5 || Saving state, iter: 5000", ""),
        ("model saved", ""),
    ],
)  # fmt: skip
def test_a_line_that_says_what_was_saved(line: str, path: str) -> None:
    found = checkpoint_in(line, 7)
    assert found is not None
    assert (found.path, found.line) == (path, 7)
    assert found.text
    assert found.text in line


@pytest.mark.parametrize(
    "line",
    [
        "Output will be saved to `output/voc`",
        "Full config saved to out/config.json",
        "Saving dict for global step 500: accuracy = 0.9, loss = 0.3",
        "Loading saved model from best.pth",
        "=> loaded checkpoint 'model_best.pth.tar' (epoch 12)",
        "Namespace(save_dir='ckpt/model.pth', save_every=5)",
        "python train.py --save model.pt",
        "Epoch 3: val_loss did not improve from 0.5, model not saved",
        "Failed to save checkpoint model.pth: saving failed",
        "Results saved to results.csv",
        "train loss 0.5 saved 3 MB",
    ],
)
def test_a_line_that_does_not(line: str) -> None:
    assert checkpoint_in(line, 1) is None


def test_what_was_deleted_is_gone_and_what_was_written_anew_counts_from_there() -> None:
    log = (
        b"Saving model checkpoint to out/checkpoint-500\n"
        b"Model weights saved in out/checkpoint-500/model.safetensors\n"
        b"saving model to best.pt\n"
        b"Saving model checkpoint to out/checkpoint-1000\n"
        b"Deleting older checkpoint [out/checkpoint-500] due to args.save_total_limit\n"
        b"saving model to best.pt\n"
    )
    found = checkpoints_in(lines_of(log))
    assert [(each.path, each.line) for each in found] == [("out/checkpoint-1000", 4), ("best.pt", 6)]


def one_run(folder: Path, name: str, text: str) -> Run:
    (folder / name).write_text(text)
    (run,) = read_runs([str(folder / name)], Options())[0]
    return run


def test_text_log(tmp_path: Path) -> None:
    lines = []
    for epoch in range(1, 21):
        lines.append(f"Epoch {epoch}/30 train_loss: {2 / epoch:.4f} val_loss: {1 + abs(epoch - 12) / 20:.4f}")
        lines += [f"Saving checkpoint to ckpt/epoch_{epoch}.pth"] if epoch % 5 == 0 else []
        lines += ["New best, saving model to ckpt/best.pth"] if epoch <= 12 else []
    run = one_run(tmp_path, "train.log", "\n".join(lines) + "\n")
    last, best = last_checkpoint(run), nearest_checkpoint(run, 12.0)
    assert last is not None
    assert (last.path, last.x) == ("ckpt/epoch_20.pth", 20.0)
    assert str(last.evidence).endswith(f"train.log:{len(lines)}")
    assert best is not None
    assert (best.path, best.x) == ("ckpt/best.pth", 12.0)


def test_keras_says_so_before_the_epoch_is_logged(tmp_path: Path) -> None:
    lines = []
    for epoch in range(1, 13):
        lines += [f"Epoch {epoch}/40", "", f"Epoch {epoch:05d}: saving model to w.h5"]
        lines.append(f"100/100 - 3s - loss: {2 / epoch:.4f} - val_loss: {2.2 / epoch:.4f}")
    last = last_checkpoint(one_run(tmp_path, "keras.log", "\n".join(lines) + "\n"))
    assert last is not None
    assert (last.path, last.x) == ("w.h5", 12.0)


def caffe(step: int, place: str, said: str) -> str:
    return f"I1122 16:13:{step // 100:02d}.040000 13812 {place}] {said}"


def test_caffe_goes_on_from_the_solver_state(tmp_path: Path) -> None:
    lines = []
    for step in range(0, 2001, 100):
        if step in (1000, 2000):
            binary = "to binary proto file"
            lines.append(caffe(step, "solver.cpp:464", f"Snapshotting {binary} s_iter_{step}.caffemodel"))
            lines.append(caffe(step, "sgd.cpp:284", f"Snapshotting solver state {binary} s_iter_{step}.solverstate"))
        rate = "(9 iter/s, 9s/100 iters)"
        lines.append(caffe(step, "solver.cpp:239", f"Iteration {step} {rate}, loss = {2 - step / 2000}"))
    run = one_run(tmp_path, "caffe.log", "\n".join([*lines, ""]))
    last, best = last_checkpoint(run), nearest_checkpoint(run, 1100.0)
    assert last is not None
    assert (last.path, last.x) == ("s_iter_2000.solverstate", 2000.0)
    assert best is not None
    assert (best.path, best.x) == ("s_iter_1000.caffemodel", 1000.0)


def test_two_runs_in_one_file_have_their_own(tmp_path: Path) -> None:
    def fit(name: str) -> list[str]:
        return [f"epoch {e} loss {1 / e:.3f}" if e else f"saved model to {name}.pt" for e in (1, 2, 3, 4, 5, 0)]

    (tmp_path / "two.log").write_text("\n".join([*fit("a"), *fit("b")]) + "\n")
    runs, _ = read_runs([str(tmp_path)], Options())
    assert [[c.path for c in run.checkpoints] for run in runs] == [["a.pt"], ["b.pt"]]
