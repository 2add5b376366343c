"""Print formats of many programs: each file in tests/dialects is made up in the shape one of them prints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from assembled import assemble

from logdoctor.reading import Read, read_file
from logdoctor.run import Curve, Run
from logdoctor_parsers import PARSERS, LogFile

FOLDER = Path(__file__).parent / "dialects"


class Want(NamedTuple):
    """A main curve: its number of points, its last value and where the log says that one stands."""

    points: int
    last: float
    epoch: float | None = None
    step: float | None = None
    batch: float | None = None


# A new dialect: a file in tests/dialects and a line here. Train, validation, learning rate; None: the log has none.
DIALECTS: dict[str, tuple[Want | None, Want | None, Want | None]] = {
    "aligned-wide-header": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "allegro-nequip": (Want(3, 1.8, epoch=2), None, None),
    "allennlp": (Want(3, 1.804, epoch=2), Want(3, 1.642, epoch=2), None),
    "arrows": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "ascii-grid-table": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "bar-at-its-own-step": (Want(4, 1.5325, step=8000), Want(4, 33.5), None),
    "bar-behind-clock": (Want(4, 1.5325, step=33), None, None),
    "basicsr": (Want(4, 1.5325, step=400), Want(2, 19.6054, step=400), Want(4, 0.0729, step=400)),
    "box-drawing-table": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "boxed-rewards": (Want(4, -153.25, step=7241), None, None),
    "bracketed-list": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "catalyst": (Want(3, 1.8044, epoch=3), Want(3, 1.6415, epoch=3), Want(3, 0.081, epoch=3)),
    "catalyst-old": (Want(3, 1.8044, epoch=2), Want(3, 1.6415, epoch=2), Want(3, 0.081, epoch=2)),
    "catboost": (Want(6, 1.0964893, step=5), Want(6, 1.0417121, step=5), None),
    "chainer-printreport": (Want(4, 1.53249, epoch=4), Want(4, 1.4105, epoch=4), None),
    "char-rnn": (Want(4, 1.5325, epoch=0.916, step=174), None, None),
    "chinese": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "clu-logging-writer": (Want(4, 1.532485, step=400), Want(4, 1.410502, step=400), Want(4, 0.0729, step=400)),
    "composer": (Want(4, 1.5325, step=4), Want(1, 2.4), Want(4, 0.0729, step=4)),
    "coqui-tts": (Want(6, 1.09649, epoch=2, step=125), Want(3, 1.64153, epoch=2), Want(6, 0.05905)),
    "cross-entropy-names": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "dcgan": (Want(6, 1.0965, epoch=2, batch=50), None, None),
    "deepmd": (Want(6, 1.1, step=500), Want(6, 1.04, step=500), Want(6, 0.059, step=500)),
    "deit": (Want(6, 1.0965, epoch=2, batch=10), Want(3, 1.642, epoch=2), Want(6, 0.059049)),
    "docker-compose": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "docker-cri": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "epoch-equals-commas": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "epoch-header-blocks": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "espnet2": (Want(6, 1.096, epoch=3), Want(3, 1.642, epoch=3), Want(6, 0.05905)),
    "esrgan-old": (Want(4, 1.5325, step=400), None, Want(4, 0.0729, step=400)),
    "fairseq": (
        Want(6, 1.096, epoch=3, batch=200, step=700),
        Want(3, 1.642, epoch=3, step=750),
        Want(6, 0.059049, step=700),
    ),
    "fairseq-json": (Want(6, 1.096, step=700), Want(3, 1.642, step=750), Want(6, 0.059049)),
    "fairseq-old": (Want(6, 1.096, epoch=3, batch=200), Want(3, 1.642, epoch=3), Want(6, 0.05905)),
    "fastai-old": (Want(4, 1.532485, epoch=3), Want(4, 1.410502, epoch=3), None),
    "fastai-v1": (Want(4, 1.532485, epoch=3), Want(4, 1.410502, epoch=3), None),
    "fasttext": (Want(5, 1.296651), None, Want(5, 0.06561)),
    "flair": (Want(6, 1.09648929, epoch=3, batch=20), Want(3, 1.641528, epoch=3), Want(6, 0.059049)),
    "flax": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "flax-two-lines": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "french": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "gan-brackets": (Want(6, 1.096489, epoch=2, batch=50), None, None),
    "gan-letters": (Want(4, 1.5325, step=150), None, None),
    "german": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "github-actions": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "gluonnlp-bert": (Want(4, 1.5325, epoch=1, batch=80), None, Want(4, 0.0729)),
    "gpt-neox": (Want(4, 1.532485, step=400), Want(2, 1.960543, step=400), Want(4, 0.0729, step=400)),
    "header-over-two-lines": (Want(4, 1.5325, step=22), None, None),
    "hf-notebook-table": (Want(4, 1.532485, epoch=4), Want(4, 1.410502, epoch=4), None),
    "hifigan": (Want(6, 21.93, step=25), None, None),
    "hydra-logging": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "icefall": (Want(9, 0.7285, epoch=3, batch=100), Want(3, 1.642, epoch=3), Want(9, 0.043)),
    "ignite": (Want(6, 1.1, epoch=3, batch=20), Want(3, 1.64, epoch=3), None),
    "index-in-brackets": (Want(4, 1.5325, epoch=4), None, Want(4, 0.0729)),
    "japanese": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "java-dl4j": (Want(4, 1.532485, step=30), None, None),
    "joeynmt": (Want(4, 1.532485, step=400), None, Want(4, 0.0729, step=400)),
    "journald": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "julia-flux": (Want(4, 1.5325), None, None),
    "kaldi-accuracy-report": (Want(5, 1.296651, step=4), Want(5, 1.21723, step=4), None),
    "kaldi-nnet3": (Want(4, -1.5325, step=30), None, None),
    "keras-gan": (Want(6, 1.096489, step=5), None, None),
    "keras-loop-from-scratch": (Want(9, 0.7285, epoch=2, batch=400), Want(3, 1.6415, epoch=2), None),
    "korean": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "kubernetes-pod": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "leading-step": (Want(4, 1.5325, step=4), None, Want(4, 0.0729)),
    "level-in-brackets": (Want(4, 1.5325, epoch=4), None, Want(4, 0.0729)),
    "lightgbm": (Want(6, 1.09649, step=60), Want(6, 1.04171, step=60), None),
    "lightning-bar": (Want(4, 1.532, epoch=3), Want(4, 1.411, epoch=3), None),
    "logger-before-level": (Want(4, 1.5325), Want(4, 1.4105), None),
    "loss-of-parts": (Want(4, 1.5325, step=400), None, None),
    "losses-without-counter": (Want(4, 1.5325), None, None),
    "lua-opennmt": (Want(6, 109.65, epoch=3, batch=20), Want(3, 164.15, epoch=3), Want(6, 0.059)),
    "marian": (Want(4, 1.53248527, step=4000), Want(4, 42.3151, step=4000), Want(4, 0.0729, step=4000)),
    "markdown-table": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "mindspore": (Want(4, 1.532485, epoch=4), None, None),
    "minibatch-ranges": (Want(8, 1.5325, epoch=4, batch=1000), None, Want(4, 0.000729)),
    "mmdet2": (Want(6, 1.0965, epoch=3, batch=100), Want(3, 1.6415, epoch=3), Want(6, 0.05905)),
    "mmengine": (Want(6, 1.0965, epoch=3, batch=100), Want(3, 1.6415, epoch=3), Want(6, 0.059049)),
    "mmseg0": (Want(4, 1.5325, step=200), None, Want(4, 0.0729, step=200)),
    "mmseg1": (Want(4, 1.5325, step=200), Want(2, 39.2109, step=200), Want(4, 0.0729, step=200)),
    "mnmt-epoch-comma": (Want(6, 10.96, epoch=3, batch=100), Want(3, 16.4153, epoch=3), None),
    "monai": (Want(9, 0.7285, epoch=3, batch=3), Want(3, 1.6415, epoch=3), None),
    "mpirun-tags": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "nemo-iterations": (Want(6, 1.096, step=5), Want(3, 1.642, step=5), Want(6, 5.905e-05)),
    "nnunet-v1": (Want(4, -1.5325, epoch=3), Want(4, -1.4105, epoch=3), Want(4, 0.0729, epoch=3)),
    "nnunet-v2": (Want(4, -1.5325, epoch=3), Want(4, -1.4105, epoch=3), Want(4, 0.0729, epoch=3)),
    "olmo": (Want(4, 1.532, step=40), None, Want(4, 0.0729, step=40)),
    "opennmt-py": (Want(8, 0.81, step=400), Want(4, 28.21, step=400), Want(8, 0.00478)),
    "openpcdet": (Want(6, 1.096, epoch=3, batch=50), None, Want(6, 0.05905)),
    "paddleclas": (Want(6, 1.09649, epoch=3, batch=10), Want(3, 1.64153, epoch=3), Want(6, 0.059049)),
    "paddledetection": (Want(6, 1.096489, epoch=2, batch=20), None, Want(6, 0.059049)),
    "paddleocr": (Want(4, 1.532485, step=40), None, Want(4, 0.0729, step=40)),
    "paddleseg": (Want(4, 1.5325, batch=40), None, Want(4, 0.0729, batch=40)),
    "parlai": (Want(4, 1.5325, epoch=4, step=324), None, Want(4, 0.0729)),
    "pdsh-host": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "pix2pix": (Want(6, 21.93, epoch=3, batch=200), None, None),
    "progress-of-total": (Want(4, -1.5325, epoch=0, batch=300), None, None),
    "progress-percent": (Want(5, 1.2967), None, None),
    "python-dict-print": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "rank-at-line-end": (Want(8, 1.5325, epoch=3, batch=100), Want(4, 1.4105, epoch=3), Want(8, 0.0729)),
    "rasa-bar": (Want(4, 1.532), None, None),
    "rich-logging": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "rllib-yaml": (Want(3, 1.804422), None, None),
    "rsl-rl": (Want(4, 1.5325), None, None),
    "russian": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "samples-per-second-as-rate": (Want(4, 1.5325, epoch=4), None, None),
    "sentences": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "short-names": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "simclr-spijkervet": (Want(6, 1.0965, batch=50), None, None),
    "simclr-sthalles": (Want(5, 1.2967, epoch=4), None, None),
    "sklearn-gradient-boosting": (Want(6, 1.0965, step=6), None, None),
    "sklearn-mlp": (Want(6, 1.09648929, step=6), None, None),
    "sklearn-sgd": (Want(4, 1.532485, epoch=4), None, None),
    "slurm-label": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "sockeye": (Want(6, 21.929786, epoch=2, batch=100), Want(3, 32.830557, epoch=2), None),
    "spacy": (Want(4, 76.62), None, None),
    "spanish": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "speechbrain": (Want(4, 1.53, epoch=4), Want(4, 1.41, epoch=4), Want(4, 0.0729, epoch=4)),
    "stable-baselines3": (Want(3, 1.804), None, Want(3, 0.081)),
    "step-colon-loss": (Want(6, 1.0965, step=500), None, None),
    "structlog-pairs": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(4, 0.0729, epoch=4)),
    "subset-of-total": (Want(8, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), Want(8, 0.0729)),
    "t2t": (Want(4, 1.532485, step=400), Want(4, 1.410502, step=400), None),
    "tacotron-keithito": (Want(5, 1.29665, step=5), None, None),
    "tacotron2": (Want(6, 1.096489, step=5), Want(2, 1.960543, step=5), None),
    "tensorboardx-scalar-lines": (Want(3, 1.8044, step=30), Want(3, 1.6415, step=30), None),
    "tf-nmt-tutorial": (Want(6, 1.0965, epoch=3, batch=100), None, None),
    "tf2-quickstart": (Want(4, 1.532485, epoch=4), Want(4, 1.410502, epoch=4), None),
    "timm": (Want(9, 0.729, epoch=2, batch=99), Want(3, 1.642, epoch=2), Want(9, 0.04305)),
    "torch7-optim": (Want(6, 1.0965, epoch=3, batch=2), Want(3, 49.246, epoch=3), None),
    "torchtune": (Want(6, 1.096489, step=6), None, None),
    "torchtune-metrics": (Want(6, 1.096489, step=6), None, Want(6, 0.059049, step=6)),
    "total-of-parts": (Want(4, 1.5325, step=400), None, None),
    "tqdm-newlines": (Want(3, 1.8044, epoch=3), Want(3, 1.6415, epoch=3), None),
    "train-bracket-loss": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "training-loss-at-epoch": (Want(4, 1.5325, epoch=3), Want(4, 1.4105, epoch=3), None),
    "transformers-logging": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "trax": (Want(4, 1.53248527, step=400), Want(4, 1.41050221, step=400), None),
    "tuple-print": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "ultralytics-v8-console": (Want(3, 5.413, epoch=3), Want(3, 1.642, epoch=3), None),
    "unsloth-notebook-table": (Want(6, 1.096489, step=6), None, None),
    "values-before-names": (Want(4, 1.5325, epoch=4), Want(4, 1.4105, epoch=4), None),
    "wide-names": (Want(4, 1.5325, step=3), None, None),
    "wrapped-lines": (Want(4, 1.5325, step=4), None, None),
    "xgboost": (Want(6, 1.09649, step=5), Want(6, 1.04171, step=5), None),
    "yolov5-console": (Want(3, 1.80442, epoch=2), Want(3, 1.642, epoch=2), None),
}


def read(name: str) -> Run:
    path = FOLDER / f"{name}.log"
    found = read_file(LogFile(path, path.name), PARSERS)
    assert isinstance(found, Read), found.reason
    runs, failed = assemble([found], FOLDER)
    assert not failed
    assert len(runs) == 1
    return runs[0]


def place(run: Run, curve: Curve) -> dict[str, float]:
    """What the log says of the position of a curve's last point."""
    rows = run.rows
    assert rows is not None
    tags = np.array([series.tag for series in rows.series])[rows.code]
    row = np.flatnonzero((rows.line == curve.line[-1]) & (tags == curve.tag))[-1]
    return {name: float(getattr(rows, name)[row]) for name in ("epoch", "step", "batch")}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect(name: str) -> None:
    run = read(name)
    for role, curve, want in zip(("train", "val", "lr"), (run.train, run.val, run.lr), DIALECTS[name], strict=True):
        if want is None:
            continue
        assert curve is not None, role
        assert (len(curve), float(curve.value[-1])) == (want.points, pytest.approx(want.last)), (role, curve.tag)
        said = place(run, curve)
        for counter in ("epoch", "step", "batch"):
            if (position := getattr(want, counter)) is not None:
                assert said[counter] == position, (role, counter)


@pytest.mark.parametrize("name", [name for name, (_, val, _) in DIALECTS.items() if val is None])
def test_no_validation_loss_is_invented(name: str) -> None:
    val = read(name).val
    assert val is None or "loss" not in val.metric


def test_a_rate_of_samples_is_no_learning_rate() -> None:
    assert read("samples-per-second-as-rate").lr is None


def test_every_dialect_is_listed() -> None:
    assert {path.stem for path in FOLDER.glob("*.log")} == DIALECTS.keys()
