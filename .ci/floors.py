"""Run the scorers on the labelled runs beside this checkout and hold their figures above the floors.

The labelled runs are no part of the project: where they are absent this says so and passes.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "shared" / "bench"
LOGDOCTOR = str(Path(sys.executable).parent / "logdoctor")

DIAGNOSIS = {
    "one_entry_per_run": 0.995,
    "drops_logged_f1": 0.97,
    "epochs_per_drop_right": 0.97,
    "schedule_kind_right": 0.80,
    "core_macro_f1": 0.65,
    "best_epoch_right": 0.85,
}
NONE_OF = ("runs_not_found", "analyzer_crashes")
FORMATS = ("csv", "keras_csv", "jsonl", "tb", "keras_tb", "hf", "imagenet", "mnist", "caffe")
READING = {"train_present": 0.90, "scalars": 0.95}


def score(script: str, *arguments: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "score.json"
        command = [sys.executable, str(BENCH / script), "--logdoctor", LOGDOCTOR, "--json", str(out), *arguments]
        subprocess.run(command, check=True, timeout=1800)
        return json.loads(out.read_text("utf-8"))


def below(found: dict, floors: dict) -> list[str]:
    return [f"{name} {found[name]:.3f}, floor {floor}" for name, floor in floors.items() if not found[name] >= floor]


def main() -> int:
    if not BENCH.is_dir():
        print("skipped: no labelled runs beside this checkout")
        return 0
    diagnosis = score("score_diagnosis.py", *[part for name in FORMATS for part in ("--format", name)])["headline"]
    failed = below(diagnosis, DIAGNOSIS) + [f"{name} {diagnosis[name]}" for name in NONE_OF if diagnosis[name]]
    reading = score("score_reading.py", *[part for f in ("caffe", "keras_csv", "tensorboard") for part in ("--family", f)])
    failed += below(reading["headline"], READING)
    caffe = score("score_caffe.py")
    right, total = (sum(pair[i] for pair in caffe.values()) for i in (0, 1))
    failed += below(
        {"caffe": right / total, "caffe drops": caffe["drops (steps)"][0] / caffe["drops (steps)"][1]},
        {"caffe": 0.85, "caffe drops": 0.95},
    )
    failed += [f"caffe {name}: {caffe[name]}" for name in ("no traceback", "read") if caffe[name][0] != caffe[name][1]]
    print("\n".join(["below the floor:", *failed]) if failed else "all above their floors")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
