import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.common.errors import Invalid
from salon.common.text import clean_line, clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Marie   Curie ", "Marie Curie"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("no\u00a0break", "no break"),
        ("Zoe\u0301", "Zoé"),
        ("pay\u202elive", "paylive"),
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("tagged\U000e0041", "tagged"),
        ("hangul\u3164filler", "hangulfiller"),
        ("عَبْدُ", "عَبْدُ"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("\u200dalone\u200d", "alone"),
        ("double\u200d\u200djoiner", "doublejoiner"),
        ("z" + "\u0300" * 50, "z" + "\u0300" * 4),
        ("❤\ufe0f", "❤\ufe0f"),
        ("日本語", "日本語"),
    ],
)
def test_line_is_cleaned(text, expected):
    assert clean_line(text, 60, field="name") == expected


@pytest.mark.parametrize("text", ["nul\x00", "bell\x07", "escape\x1b[31m", "del\x7f", "c1\x9b", "half\ud800", "\uffff", "\ufdd0"])
def test_hostile_characters_are_refused_by_name(text):
    for clean in (clean_line, clean_text):
        with pytest.raises(Invalid) as refused:
            clean(text, 60, field="name")
        assert refused.value.field == "name"


def test_limit_counts_what_is_kept():
    assert clean_line(" " * 50 + "x" * 60, 60, field="name") == "x" * 60
    with pytest.raises(Invalid):
        clean_line("x" * 61, 60, field="name")


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u202e", "\n"])
def test_required_text_must_show_something(text):
    assert clean_line(text, 60, field="name") == ""
    with pytest.raises(Invalid):
        clean_line(text, 60, field="name", required=True)


def test_text_keeps_lines_and_at_most_one_empty_one():
    assert clean_text(" one \r\ntwo\r\rthree\n\n\n\n\nfour \u2028five\n", 100, field="bio") == "one\ntwo\n\nthree\n\nfour\nfive"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"])) | st.text("a \n\u0301\u200c\u200d\u202e\ufeff"))
def test_cleaning_twice_changes_nothing(text):
    once = clean_text(text, 10_000, field="bio")
    assert clean_text(once, 10_000, field="bio") == once
    line = clean_line(text, 10_000, field="bio")
    assert clean_line(line, 10_000, field="bio") == line
