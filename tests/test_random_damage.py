"""Random damage: no number that is not there, nothing lost but what was touched or is named, no traceback.

`python -m tests.damage` does the same 3,000 times and compares with other readers.
"""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tests.damage.accounting import examine
from tests.damage.others import caffe_script, readers_of, recovered
from tests.damage.sample import Sample, damages, every_cut, families

FAMILIES = families()
README = Path(__file__).parents[1] / "README.md"
COUNT = 14  # of each family


@pytest.mark.parametrize("family", FAMILIES)
def test_damage_costs_only_what_it_touched(family: str) -> None:
    samples: list[Sample] = FAMILIES[family]
    for sample, damage in damages(family, samples, COUNT):
        outcome = examine(sample.path, sample.content, sample.points, damage)
        assert not outcome.wrong, (sample.path.name, damage.kind, damage.start, outcome.wrong[:3])
        assert not outcome.silent, (sample.path.name, damage.kind, damage.start, outcome.silent[:3])


STAND_IN = """
import csv, sys
from extract_seconds import FIELDS
rows = [line.split("loss = ")[1].split()[0] for line in open(sys.argv[1]) if "Test net output #1: loss = " in line]
with open(sys.argv[2] + "/" + sys.argv[1] + ".test", "w") as out:
    table = csv.writer(out)
    table.writerow(FIELDS)
    table.writerows([20 * n, 0.5, row] for n, row in enumerate(rows))
if not rows:
    print 'nothing'
"""


@pytest.mark.parametrize("packed", [False, True])
def test_a_caffe_script_of_the_users_is_compared(packed: bool, tmp_path: Path) -> None:
    extra = tmp_path / "caffe" / "tools" / "extra"
    extra.mkdir(parents=True)
    (extra / "parse_log.py").write_text(STAND_IN)
    (extra / "extract_seconds.py").write_text("FIELDS = ['NumIters', 'Seconds', 'loss']\n")
    source = extra / "parse_log.py"
    if packed:
        source = tmp_path / "caffe-1.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(tmp_path / "caffe", "caffe-1")
    sample = next(each for each in FAMILIES["caffe"] if each.path.name == "healthy_dropout.log")
    truth = Counter((point.tag, float(point.number)) for point in sample.points)
    expected = len(re.findall(rb"Test net output #1: loss = ", sample.content))
    with caffe_script(source) as script:
        read = readers_of("caffe", script)["parse_log.py"]
        assert recovered(read, sample.path.name, sample.content, truth) == expected > 10
        assert recovered(read, sample.path.name, b"\xff\xfe damaged", truth) == 0
    assert "parse_log.py" not in readers_of("caffe", None) and "parse_log.py" not in readers_of("csv", script)


def test_cuts_at_every_byte() -> None:
    small = min(FAMILIES["keras-history"], key=lambda sample: len(sample.content))
    cuts = [damage.of(small.content) for _, damage in every_cut([small], 1 << 16)]
    assert [len(cut) for cut in cuts] == list(range(1, len(small.content)))
    assert not list(every_cut([small], 10))


def test_the_readme_tells_of_3000_damages_without_a_wrong_number() -> None:
    table = README.read_text("utf-8").split("<!-- damage -->")[1].split("<!-- /damage -->")[0]
    files = re.search(r"^\| all \| ([\d,]+) \|", table, re.MULTILINE)
    assert files
    assert int(files[1].replace(",", "")) >= 3000
    assert "Wrong numbers, and points lost without a word: 0." in table
    assert set(re.findall(r"^\| ([\w-]+) \|", table, re.MULTILINE)) >= set(FAMILIES)
