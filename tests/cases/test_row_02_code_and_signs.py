"""Code, formulas, names and emoji that differ by an operator or a sign are kept apart and counted."""

import json
import unicodedata

import pytest

from tests.cases.running import seedcorn
from tests.cases.serving import grow_answers
from tests.core.text.reference import are_kept_apart
from tests.corpora.reading import plain_shingles

KEPT_APART = {
    "operators": [f"def mix(left, right):\n    return left {sign} right" for sign in "+-*/%&|^<>"],
    "shifts": [f"let rest = (word {sign} 3) as u32;" for sign in ("<<", ">>", "<", "*", "**", "&")],
    "pointers": ["int x = p;", "int x = *p;", "int x = &p;", "int x = -p;", "int x = ~p;"],
    "sums": [f"Ben saves 23 and 8. What is 23 {sign} 8?" for sign in "+-*/><="],
    "powers": ["10^6 grains", "10 6 grains", "10⁶ grains", "10*6 grains", "106 grains"],
    "latex": [
        r"$\sqrt{n}$ is $n^2$",
        r"$\sqrt{n}$ is $n_2$",
        r"$\sqrt{n}$ is $n+2$",
        r"sqrt{n} is n 2",
    ],
    "languages": [f"He writes his games in {name}." for name in ("C", "C++", "C#", "F#", "F")],
    "decimals": ["It costs 1.5", "It costs 15", "It costs 1,5", "It costs 1 5", "It costs -1.5"],
    "money": ["It costs $ 5", "It costs € 5", "It costs £ 5", "It costs 5 %", "It costs # 5"],
    "shell": ["ls | wc", "ls > wc", "ls & wc", "ls / wc", "ls * wc"],
    "emoji": ["😀😀", "🎉🎉🎉", "😀", "🎉😀"],
    "flags": ["🇳🇱", "🇧🇪", "🇨🇭", "🇫🇷"],
    "skin tones": ["👋🏻", "👋🏿", "👋"],
    "families": ["👨\u200d👩\u200d👦", "👩\u200d👩\u200d👦", "👩\u200d👦"],
    "chess": ["♔ e4", "♕ e4", "♞ e4"],
}
"""Short answers; any two of one list say something else."""


@pytest.mark.parametrize("kind", KEPT_APART)
def test_answers_that_differ_in_a_sign_are_no_duplicates(kind):
    assert are_kept_apart(KEPT_APART[kind])


def test_corpus_keeps_and_counts_all_of_them_and_is_proved(tmp_path, capsys):
    texts = [text for kind in KEPT_APART.values() for text in kind]
    rows = grow_answers(tmp_path, [{"content": text} for text in texts])
    assert {texts[index]: row.get("reason") for index, row in rows.items()} == dict.fromkeys(texts)
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
    capsys.readouterr()
    assert seedcorn("ledger", tmp_path / "corpus", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    unique = said["generations"][0]["unique"]["8"]["estimate"]
    assert unique == len(plain_shingles(texts, 8)) >= len(texts)


def test_copies_in_other_spaces_are_exact_and_in_other_case_near(tmp_path):
    function = "def área(r):\n    return 3.14 * r ** 2 if r > 0 else -r  # ½ of it"
    copies = {
        function: None,
        function.replace("\n    ", "\n\t"): "exact:same",
        unicodedata.normalize("NFD", function): "exact:same",
        f"\n{function}\u00a0": "exact:same",
        function.upper(): "near:same",
        function.replace(":", " :;"): "near:same",
        "so it is with " + function.replace("*", "/"): None,
    }
    rows = grow_answers(tmp_path, [{"content": text} for text in copies])
    assert {text: rows[at].get("reason") for at, text in enumerate(copies)} == copies
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
