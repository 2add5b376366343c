"""Text that would do harm where it is not escaped, and a report that is made of it."""

from __future__ import annotations

from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import Evidence, Failed, Severity, Skipped
from logdoctor.run import Closing, RunFact, RunProblem, Source
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run

PAYLOADS = (
    "<script>document.title = 'taken'</script>",
    "</script><script>document.title = 'taken'</script>",
    '"><img src=x onerror="document.title = \'taken\'">',
    "' onmouseover='document.title = 1' x='",
    "javascript:document.title='taken'",
    "</style></title></textarea></svg><b>bold</b>",
    "<!-- ]]> --> <![CDATA[ <?php",
    "&lt;i&gt; &#60;script&#62; &amp;",
    "<a href=https://example.org/>link</a>",
    "`</code><u>under</u>`",
    "${7*7} {{7*7}} %0A %n",
    "::error file=x::taken",
)
HARMLESS = tuple(f"payload {number}" for number in range(len(PAYLOADS)))


def report_of(texts: tuple[str, ...]) -> Report:
    """A run for each text, which stands wherever a log or a file name can bring it."""
    runs = tuple(_diagnosis_of(text) for text in texts)
    return Report(runs, tuple(Unread(f"{text}.bin", f"not recognised: {text}") for text in texts))


def _diagnosis_of(text: str) -> Diagnosis:
    val = curve(falling(start=2.1, end=0.6), tag=f"val {text}", split="val")
    of = run(
        text,
        curve(falling(), tag=text),
        val,
        sources=(Source(f"{text}.log", "csv", 41, 40, 1),),
        facts={text: RunFact(text, text, 3)},
        problems=(RunProblem(text, 9, text),),
        receipts=(text,),
        closing=Closing("crashed", Evidence(text, 99), text, (text, text)),
    )
    bad = finding(
        "divergence", Severity.ERROR, message=text, advice=text, evidence=(Evidence(text, 1, text),), would_change=text
    )
    schedule = Schedule("step", "logged", config={"caffe": text}, drops=drops(20))
    skipped, failed = (Skipped("plateau", text),), (Failed("collapse", text),)
    return diagnosis(of, bad, finding("overfitting", message=text), schedule=schedule, skipped=skipped, failed=failed)
