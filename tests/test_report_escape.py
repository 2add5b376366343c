"""Whatever a log or a file name holds, Markdown shows it as text. Checked by a Markdown renderer, not by eye."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from logdoctor.report.escape import block, code, plain, prose, slug

HOSTILE = [
    "a|b", "`code` and ``two``", "<img src=x onerror=alert(1)>", "</details>", "<!-- gone", "*bold* _em_ __x__ ~~no~~",
    "[link](http://example.org)", "![picture](x.png)", "# heading", "1. list", "- item", "> quote", "+ plus", "=====",
    "&lt; &amp; &#124;", "back\\slash", "$math$ ~5 to ~6", "\\|", "|---|", "```", "`", "a_b_c", "loss < 0.1 > 0",
]  # fmt: skip


def rendered(markdown: str) -> str:
    """The text a reader sees: GFM to HTML, tags dropped, entities resolved."""
    page = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return html.unescape(re.sub(r"<[^>]*>", "", page)).strip("\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_itself(text: str) -> None:
    page = MarkdownIt("gfm-like", {"linkify": False}).render(prose(text))
    assert rendered(prose(text)) == text
    assert set(re.findall(r"<(\w+)", page)) == {"p"}


@pytest.mark.parametrize("text", HOSTILE)
def test_table_cells_stay_in_their_cell(text: str) -> None:
    markdown = f"| a | b |\n| --- | --- |\n| {prose(text)} | {code(text, cell=True)} |"
    page = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    cells = [html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page, re.S)]
    if "\\|" not in text:  # a backslash before a pipe cannot be kept in a table's code span
        assert cells == [text, text]
    assert len(cells) == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_code_spans_hold_anything(text: str) -> None:
    assert rendered(f"x {code(text)} y") == f"x {text} y"


def test_control_characters_become_visible() -> None:
    assert plain("\x1b[31mred\x00\nnext\tcell\r\n") == "␛[31mred␀ next cell"
    assert plain("right\u202eto left, \ud800 half") == "right�to left, � half"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert plain("abcdefgh", 5) == "abcd…"
    assert plain("abc", 5) == "abc"


def test_log_lines_cannot_close_their_block() -> None:
    text = block(("````", "```python", "<script>"))
    assert rendered(text) == "````\n```python\n<script>"


def test_anchor_is_the_one_of_the_page() -> None:
    assert slug("3. resnet50_ssd/Train Run#2") == "3-resnet50_ssdtrain-run2"


@pytest.mark.parametrize(
    "address", ["https://example.org/", "HTTP://example.org/", "ftp://example.org/", "www.example.org/"]
)
def test_an_address_is_no_link_and_keeps_what_follows_escaped(address: str) -> None:
    written = prose(f"<a href={address}>link</a>")
    assert address not in written
    assert f"{address}>link</a>" in MarkdownIt("gfm-like", {"linkify": False}).renderInline(written).replace(
        "&lt;", "<"
    ).replace("&gt;", ">")
