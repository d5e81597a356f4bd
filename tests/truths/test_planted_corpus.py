"""A corpus of nearly thirty scripts and five programming languages, with copies planted, through the
whole line: what is found, what is kept, and that the proofs agree."""

from seedcorn.core.text.words import NEWEST
from seedcorn.core.verify.recheck import miss_rate, recheck
from tests.cases.running import seedcorn
from tests.cases.serving import grow_answers
from tests.texts.planted import SUBJECTS, planted, spaced_out
from tests.texts.scripts import SCRIPTS

EACH = 2


def test_planted_copies_are_found_pairs_are_kept_and_the_proofs_agree(tmp_path):
    documents, near = [], []
    for subject in SUBJECTS:
        one, other = planted(subject, seed=5)
        documents += one[:EACH]
        near += other[:EACH]
    pairs = [word for script in SCRIPTS.values() for word in script.pair]
    texts = [*documents, *pairs, *documents, *map(spaced_out, documents), *near]
    rows = grow_answers(tmp_path, [{"content": text} for text in texts])

    said = [rows[index].get("reason") for index in range(len(texts))]
    kept, n = len(documents) + len(pairs), len(documents)
    assert said[:kept] == [None] * kept
    assert said[kept : kept + 2 * n] == ["exact:same"] * 2 * n
    assert {*said[kept + 2 * n :]} <= {"near:same", None}
    found = recheck([*documents, *near], NEWEST)
    alike = [j for (i, k), j in zip(found.pairs, found.jaccard, strict=True) if k == i + n]
    stated = [miss_rate(jaccard) for jaccard in alike]
    assert len(alike) == n
    assert said[kept + 2 * n :].count(None) <= sum(stated) + 4 * sum(stated) ** 0.5 + 1
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
