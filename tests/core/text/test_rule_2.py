"""Text rule 2, case by case: which tokens a text has, and which texts are exactly the same."""
# ruff: noqa: RUF001 - odd characters are the subject

import json
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import fingerprint, fingerprint_texts
from seedcorn.core.text.words import TextRule, hashes_of, read_words
from tests.core.text.reference import exact, golden_row, kernel, plain, tokens

GOLDEN = Path(__file__).parent / "golden" / "rule_2.json"
HARD = st.text(
    st.sampled_from(
        "aB1٣-_'.,+#= \u2011\u2019\u200c\u200d\u00ad\u0301\u0323\u0338\u0344\u0345\u3099\uff9eカか"
        "กก็ाक\u0958각ᄀ\u1161\u11a8ſİǰŉΐ\ufb01漢\ufe0f\u115f\uffa0\uff0e\uff11\u3000\ufffd\ue000😀"
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
)

TOKENS = [
    # words of any script, with their marks
    ("The cat's 2nd hat_trick", "the cat's 2nd hat_trick"),
    ("राम को दिन चाहिए", "राम को दिन चाहिए"),
    ("கடலி பெரியது", "கடலி பெரியது"),
    ("STRASSE straße ﬁn Ǆ Σίσυφος", "strasse strasse fin ǆ σίσυφοσ"),
    ("cafe\u0301 caf\u00e9", "caf\u00e9 caf\u00e9"),
    ("Ｆｕｌｌ　ｗｉｄｔｈ１２３", "full width123"),
    ("10⁶ 10 6 x² x2 ½", "10⁶ 10 6 x² x2 ½"),
    # apostrophes, hyphens, joiners: inside or not at all
    ("don’t 'quoted' rock'n'roll dogs'", "don't quoted rock'n'roll dogs"),
    ("co-op re\u2010do re\u2011do -x x- a - b a--b", "co-op re-do re-do - x x - a - b a - - b"),
    ("ক্\u200dষ ক\u200cখ \u200dক ক\u200d", "ক্\u200dষ ক\u200cখ ক ক"),
    ("a-\u200db a'\u200cb 1.\u200d5", "a-b a'b 1.5"),
    ("a\u200d-b a\u00ad-\u00adb", "a-b a-b"),
    ("a-'b a.-b", "a - b a - b"),
    ("_a-_ a-\u0301b", "_a-_ a-\u0301b"),
    # points and commas between digits
    ("3.14 1,000,000 v1.2.3. .5 5. a.b 1.a", "3.14 1,000,000 v1.2.3 5 5 a b 1 a"),
    ("٣.١٤ १,२ 1.\u00ad5 1..5", "٣.١٤ १,२ 1.5 1 5"),
    ("1\u0301.5", "1\u0301 5"),
    # operators and symbols
    ("a+b a - b a*b a/b a%b", "a + b a - b a * b a / b a % b"),
    ("a&b a|b a^b a<b a>b", "a & b a | b a ^ b a < b a > b"),
    ("x == y != z := ~w", "x = = y = z = ~ w"),
    ("C C++ C# @me \\frac $5 5€", "c c + + c # @ me \\ frac $ 5 5 €"),
    ("a−b ≠ ≤ ×", "a − b ≠ ≤ ×"),
    ('(a) [b] {c}; d: "e" – f… «g»!?', "a b c d e f g"),
    # emoji: each code point, invisible ones dropped
    ("😀😀 👍🏽", "😀 😀 👍 🏽"),
    ("👩\u200d👩\u200d👧 ❤\ufe0f", "👩 👩 👧 ❤"),
    ("🇩🇪1\ufe0f\u20e3", "🇩 🇪 1\u20e3"),
    # scripts without spaces: characters with their marks
    ("漢字かな", "漢 字 か な"),
    ("ปีที่", "ปี ที่"),
    ("ｶﾞ ガ か\u3099", "ガ ガ が"),
    ("第1.5章 漢-字 漢- -漢", "第 1.5 章 漢 字 漢 - - 漢"),
    ("က\u1039က ក\u200c\u200d្ក", "က\u1039 က ក្ ក"),
    ("กิ\u200c\u200cิ", "กิิ"),
    ("한국어 각\u11a8 ᄒ\u1161\u11ab", "한국어 각\u11a8 한"),
    # spaces of Unicode, invisible characters, controls
    ("a\u00a0b\u2003c\u3000d\u202fe\u2028f\u0085g\th", "a b c d e f g h"),
    ("so\u00adft\u200b zero\ufeff w\u2060j \u202eabc\u202c", "soft zero wj abc"),
    ("a\x00b\x1fc\x7fd", "a b c d"),
    ("e\u00ad\u0301 a\ufe0f\u0301", "é á"),
    ("private\ue000use un\U00010d40assigned", "private use un assigned"),
    ("", ""),
    ("?! … \u3002", ""),
]
DIFFERENT = [
    # operators, brackets, quotes, punctuation
    *[("return a + b", f"return a {sign} b") for sign in "-*/%&|^<>=~"],
    ("f(a)", "f[a]"),
    ("if a:\n    b", "if a:\n    b;"),
    ("x != y", "x = y"),
    ("C", "C++"),
    ("C++", "C#"),
    ("10^6", "10 6"),
    ("$\\frac{a}{b}$ and x^2", "$\\frac{a}{b}$ and x_2"),
    # digits, width, case, marks
    ("12", "١٢"),
    ("12", "１２"),
    ("US", "us"),
    ("10⁶", "106"),
    ("x²", "x2"),
    ("1.5", "1,5"),
    ("दिन", "दान"),
    ("ปี", "ปู"),
    ("कि", "क"),
    ("ø", "o"),
    ("straße", "strasse"),
    # invisible: not white space
    ("ক্ষ", "ক্\u200dষ"),
    ("ab", "a\u00adb"),
    ("ab", "a\u200bb"),
    ("❤", "❤\ufe0f"),
    # emoji
    ("😀😀", "🎉🎉"),
    ("👍🏽", "👍🏿"),
    ("🇩🇪", "🇫🇷"),
    ("👩\u200d👧", "👩👧"),
    # of no token
    ("?", "!"),
    ("", "."),
    ("\ue000", "\ue001"),
    ("a\nb", "ab"),
]
SAME = [
    ("a b", "  a \t\r\n b\n"),
    ("a b", "a\u00a0b"),
    ("a b", "a\u3000\u2003b\u2028"),
    ("", " \n\u00a0"),
    ("é", "e\u0301"),
    ("ạ\u0307", "a\u0307\u0323"),
    ("한국", unicodedata.normalize("NFD", "한국")),
    ("क\u093c", "\u0958"),
    ("\u212b \u2126", "\u00c5 \u03a9"),
    ("か\u3099", "が"),
    ("? ! .", "?\n!\n."),
]
NEAR_ONLY = [
    ("The word", "the WORD"),
    ("Ｗｏｒｄ", "word"),
    ("don't", "don’t"),
    ("well-known", "well\u2011known"),
    ("a (b), c!", "a b c"),
    ("soft", "so\u00adft"),
    ("❤ love", "❤\ufe0f love"),
]
CODE = {
    "Python": "def f(xs, n=3):\n    return [x ** n for x in xs if x % 2 == 0 and x != n]\n",
    "C": "int f(int *p, int n) { while (n-- > 0 && *p++ != '\\0') n += p[n] << 2; return ~n; }\n",
    "JavaScript": "const f = (a, b) => a?.x ?? `${b}px` || a === b && a !== !b;\n",
    "Rust": "fn f<'a>(x: &'a mut Vec<u8>) -> Option<&'a u8> { x.iter().map(|y| y ^ 1).max()? }\n",
    "Shell": 'for f in *.txt; do [ "$f" != a ] && wc -l < "$f" | sed "s/#//" >> "$OUT" & done\n',
}


@pytest.mark.parametrize(("text", "expected"), TOKENS, ids=[ascii(text) for text, _ in TOKENS])
def test_text_has_these_tokens(text, expected):
    assert tokens(text) == expected.split(" ") if expected else tokens(text) == []


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[ascii(pair) for pair in DIFFERENT])
def test_texts_that_differ_in_one_sign_are_not_exactly_the_same(one, other):
    assert exact(one) != exact(other)
    assert exact(f"So it is: {one} today.") != exact(f"So it is: {other} today.")


@pytest.mark.parametrize(("one", "other"), SAME, ids=[ascii(pair) for pair in SAME])
def test_texts_in_another_form_or_spacing_are_exactly_the_same(one, other):
    assert kernel([one]) == kernel([other])
    assert kernel([f"So: {one} it is."]) == kernel([f"So: \n{other}  it is. "])


@pytest.mark.parametrize(("one", "other"), NEAR_ONLY, ids=[ascii(pair) for pair in NEAR_ONLY])
def test_case_width_punctuation_and_invisible_characters_are_near_and_not_exact(one, other):
    assert tokens(one) == tokens(other)
    assert exact(one) != exact(other)


@pytest.mark.parametrize("language", CODE)
def test_code_without_or_with_another_operator_has_other_tokens(language):
    code = CODE[language]
    assert tokens(code)
    changed = 0
    for at, sign in enumerate(code):
        if sign in "+*/%&|^<>=~$`#@\\":
            for other in ("", "+" if sign != "+" else "/"):
                edited = code[:at] + other + code[at + 1 :]
                assert tokens(edited) != tokens(code)
                assert exact(edited) != exact(code)
            changed += 1
    assert changed >= 5


def test_tables_of_numbers_that_differ_in_one_digit_or_point_differ():
    rows = [f"{row}\t{row * 7.25:.2f}\t{row * 1000:,}\t-{row}%" for row in range(1, 30)]
    table = "\n".join(rows)
    assert tokens("7\t50.75\t7,000\t-7%") == ["7", "50.75", "7,000", "-", "7", "%"]
    for one, other in (("50.75", "50.76"), ("50.75", "5.075"), ("7,000", "7.000"), ("-7%", "7%")):
        assert tokens(table.replace(one, other, 1)) != tokens(table)


def test_tokens_of_latex_keep_commands_signs_and_braces_apart():
    assert tokens(r"$\frac{a}{b} = x_2^{n+1}$") == [
        *("$", "\\", "frac", "a", "b", "=", "x_2", "^", "n", "+", "1", "$")
    ]


@given(st.lists(HARD, min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_as_the_second_writing_reads_it(texts):
    assert kernel(texts) == [plain(text)[1] for text in texts]


@given(st.lists(HARD, min_size=2, max_size=6), st.randoms())
@settings(max_examples=60, deadline=None)
def test_texts_are_read_alike_in_any_batch_and_order(texts, random):
    alone = {text: kernel([text])[0] for text in texts}
    random.shuffle(texts)
    assert kernel(texts) == [alone[text] for text in texts]


@given(st.binary(max_size=12) | st.lists(st.sampled_from(
    [b"\xe0", b"\x80", b"\xa0", b"\xed", b"\xf0", b"\x90", b"\xf4", b"\xc3", b"a", b" ", b"\xcc\x81"]
), max_size=9).map(b"".join))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_bytes_that_are_not_utf8_read_as_python_replaces_them(data):
    got = fingerprint(*pack([b"good", data, b"good"]), TextRule.TWO)
    said = fingerprint_texts([data.decode("utf-8", "replace")], TextRule.TWO)
    assert got.text_hash[1] == said.text_hash[0]
    assert (got.keys[1] == said.keys[0]).all()
    assert got.text_hash[0] == got.text_hash[2]


@pytest.mark.parametrize("data", [b"\xf4\x90\x80\x80", b"\xf4\xbf\xbf\xbf", b"\xed\xa0\x80"])
def test_bytes_past_unicode_or_of_a_surrogate_are_no_character(data):
    words = read_words(*pack([b"a" + data + b"b"]), TextRule.TWO)
    assert words.counts[0] == 2 + data.decode("utf-8", "replace").count("\ufffd")


@pytest.mark.parametrize("sign", ["\u200d", "'", "-\u00ad", "\u0301\u0323", "1.\u200d", "\u00ad"])
def test_long_runs_of_one_sign_are_read_in_linear_time(sign):
    def seconds(times):
        buffer = pack([("a" + sign * times).encode()])
        read_words(*buffer, TextRule.TWO)
        start = time.process_time()
        read_words(*buffer, TextRule.TWO)
        return time.process_time() - start

    assert seconds(400_000) < 2  # In quadratic time it would be minutes.


def test_texts_without_a_token_are_near_nothing_but_themselves():
    texts = ["?", "!", "…", "\ue000", "", "?\n"]
    got = fingerprint_texts(texts, TextRule.TWO)
    assert got.words.tolist() == [0] * 6
    assert len(np.unique(got.text_hash)) == 5
    assert (got.keys[0] == got.keys[5]).all()
    assert len(np.unique(got.keys[:5])) == got.keys[:5].size


@pytest.mark.parametrize(
    "row", json.loads(GOLDEN.read_text()), ids=lambda row: ascii(row["text"][:9])
)
def test_golden_text_gives_the_committed_values(row):
    assert golden_row(row["text"], TextRule.TWO) == row


@given(st.text(max_size=40))
def test_one_text_alone_has_the_words_that_it_has_among_others(text):
    among = read_words(*pack([b"before", text.encode("utf-8", "replace"), b"after"]), TextRule.TWO)
    start, count = among.starts[1], among.counts[1]
    assert hashes_of(text, TextRule.TWO).tolist() == among.hashes[start : start + count].tolist()


def test_long_text_alone_has_the_words_of_its_parts():
    text = "a − b\n" * 20_000
    assert (
        hashes_of(text, TextRule.TWO).tolist() == hashes_of("a − b", TextRule.TWO).tolist() * 20_000
    )
