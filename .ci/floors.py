"""Run the scorers on the labelled runs beside this checkout and hold their figures above the floors.

The labelled runs are no part of the project: where they are absent this says so and passes. With --write the figures
of the findings go to logdoctor/measured.json, from which `logdoctor explain` and the README's table tell them.
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
    "drops_logged_f1": 0.99,
    "epochs_per_drop_right": 0.99,
    "schedule_kind_right": 0.98,
    "core_macro_f1": 0.965,
    "all_macro_f1": 0.955,
    "timing_right": 0.94,
    "drops_inferred_precision": 0.80,
    "drops_inferred_recall": 0.48,
    "first_drop_inferred": 0.60,
    "best_epoch_right": 0.95,
    "firm_precision": 0.97,
    "interrupted_f1": 0.95,
}
FALSE_ALARMS = 0.02  # share of the logs with a warning or error that is not true of them
NONE_OF = ("runs_not_found", "analyzer_crashes")
READING = {
    "train_present": 0.97,
    "train_primary": 0.95,
    "val_present": 0.95,
    "lr_present": 0.95,
    "no_curve": 1.0,
    "scalars": 0.94,
}
MEASURED = Path(__file__).resolve().parents[1] / "logdoctor" / "measured.json"


def score(script: str, *arguments: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "score.json"
        command = [sys.executable, str(BENCH / script), "--logdoctor", LOGDOCTOR, "--json", str(out), *arguments]
        subprocess.run(command, check=True, timeout=1800)
        return json.loads(out.read_text("utf-8"))


def below(found: dict, floors: dict) -> list[str]:
    return [f"{name} {found[name]:.3f}, floor {floor}" for name, floor in floors.items() if not found[name] >= floor]


def summary(diagnosis: dict) -> dict:
    """What `logdoctor explain` and the README tell of the accuracy: figures of each finding, and over all."""
    findings = {
        name: {key: round(row[key], 3) for key in ("precision", "recall", "f1")} | {"logs_with": row["tp"] + row["fn"]}
        for name, row in diagnosis["findings"].items()
        if row["tp"] + row["fn"]
    }
    headline = {name: round(value, 3) for name, value in diagnosis["headline"].items()}
    return {"findings": findings, "headline": headline}


def main() -> int:
    if not BENCH.is_dir():
        print("skipped: no labelled runs beside this checkout")
        return 0
    diagnosis = score("score_diagnosis.py")
    if "--write" in sys.argv:
        MEASURED.write_text(json.dumps(summary(diagnosis), indent=1) + "\n", "utf-8")
    failed = below(diagnosis["headline"], DIAGNOSIS)
    failed += [f"{name} {diagnosis['headline'][name]}" for name in NONE_OF if diagnosis["headline"][name]]
    if not (alarmed := diagnosis["headline"]["logs_with_false_alarm"]) <= FALSE_ALARMS:
        failed.append(f"logs_with_false_alarm {alarmed:.3f}, at most {FALSE_ALARMS}")
    failed += below(score("score_reading.py")["headline"], READING)
    caffe = score("score_caffe.py")
    right, total = (sum(pair[i] for pair in caffe.values()) for i in (0, 1))
    failed += below(
        {"caffe": right / total, "caffe drops": caffe["drops (steps)"][0] / caffe["drops (steps)"][1]},
        {"caffe": 0.95, "caffe drops": 0.99},
    )
    failed += [f"caffe {name}: {caffe[name]}" for name in ("no traceback", "read") if caffe[name][0] != caffe[name][1]]
    print("\n".join(["below the floor:", *failed]) if failed else "all above their floors")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
