"""`seedcorn report`: what the page says and holds, without a browser."""

import json
import math
import re
from html import unescape

import pytest

from seedcorn.cli import main
from seedcorn.commands.report.bars import segments
from seedcorn.commands.report.blocks import marks_of
from seedcorn.commands.report.page import build_page
from seedcorn.commands.report.pairs import SHOWN_CHARS, Pair, side_by_side
from seedcorn.commands.report.running import cone_of, running
from seedcorn.core.figures import scaled
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from tests.commands.report.report_document import EVIL, document, interval, pairs

NO_BREAK = "\N{NO-BREAK SPACE}"


def said(page):
    """The page's text as a reader sees it: no style, no script, no tags, no line breaks."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
    text = unescape(re.sub(r"<[^>]+>", "", body)).replace(NO_BREAK, " ")
    return re.sub(r"\s+", " ", text)


def embedded(page, name):
    """A JSON block of the page."""
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', page, flags=re.S)[1])


def bare(told):
    """The document of a corpus where nothing but the counts is known."""
    empty = {"curve": [], "forecasts": [], "alarms": [], "decisions": [], "detail": ""}
    unknown = dict.fromkeys(("companions", "precision", "adjusted_unique", "coverage"))
    for row in told["generations"]:
        row |= {**empty, **unknown}
    for row in told["strata"]:
        row |= {"next": None, "form": None}
    for one in told["measured"]:
        one |= {"engine_hours": 0.0, "unique_per_engine_hour": None}
    told["forecast"] = {"scored": 0, "covered": 0, "widening": 1.0, "next": [], "trend": None}
    told["forecast"]["trend_unknown"] = "insufficient history: 3 of 4 generations"
    told["repeats"] = None
    return told


def test_page_is_a_function_of_its_input():
    page = build_page(document(), pairs(), "lakes")
    assert page == build_page(document(), pairs(), "lakes")
    assert len(page) < 5_200_000


def test_headline_adds_generations_up_with_their_error():
    page = said(build_page(document(), [], "lakes"))
    rows = [row["unique_tokens"] for row in document()["generations"]]
    half = math.sqrt(sum(((u["high"] - u["low"]) / 2) ** 2 for u in rows))
    total = sum(u["estimate"] for u in rows)
    assert f"{total / 1000:.0f} k (±{100 * half / total:.2g} %) unique accepted tokens" in page
    assert "in 4 generations, out of 2.49 M generated." in page
    assert "The next 4,096 samples would add 41.0 k [33.0 k to 52.0 k] more" in page
    assert "20 of 21 forecasts contained the actual value" in page


def test_nothing_from_data_becomes_markup():
    told = document()
    told["generations"][0]["reasons"][f"rejected:{EVIL}"] = 1
    told["generations"][1]["alarms"][0] |= {"stratum": EVIL, "text": EVIL, "name": EVIL}
    bad = [Pair(EVIL, 1, EVIL, EVIL, EVIL, EVIL, EVIL + "x")]
    page = build_page(told, bad, EVIL)
    own = page[: page.index('id="figures"')]
    assert "<script>alert" not in page.replace("\\u003c", "")
    assert "<img" not in own
    assert len(re.findall(r"<script\b", own)) == 2
    assert embedded(page, "ledger") == json.loads(json.dumps(told))
    texts = json.dumps(embedded(page, "figures"))
    assert "alert" in texts
    assert "<script" not in texts
    assert "<img" not in texts


def test_page_names_no_other_place():
    page = build_page(document(), pairs(), "lakes")
    own = page[: page.index('id="ledger"')]
    assert re.findall(r"(?:src|href)=\"(?!#|data:,)", own) == []
    assert "http" not in own.replace("http-equiv", "")
    assert "url(" not in own
    assert "default-src 'none'" in own


def test_missing_figures_are_said_to_be_missing_and_nothing_is_drawn_for_them():
    page = build_page(bare(document()), [], "lakes")
    text = said(page)
    assert set(embedded(page, "figures")) == {"waterfall", "growth", "outcomes"}
    for sentence in (
        "No engine time was recorded",
        "(ρ) was not measured in any generation",
        "No forecast has been compared with its batch yet",
        "What the next generation adds is unknown: insufficient history: 3 of 4 generations",
        "No audit has been recorded",
        "No duplicate is shown",
        "no forecast",
    ):
        assert sentence in text


def test_generation_with_unknown_unique_leaves_a_gap_with_its_reason():
    told = document()
    told["generations"][1] |= {"unique": {}, "unique_tokens": None, "unknown": "no sketch yet"}
    first, second, third, _ = running(told["generations"])
    assert second.points == ()
    assert second.missing == "no sketch yet"
    assert third.points[0].tokens == second.end == 2 * 8 * 512 * 180
    assert third.points[0].unique == first.points[-1].unique
    page = build_page(told, [], "lakes")
    assert "Generation 2 is not drawn: no sketch yet." in said(page)
    assert "unknown for generation 2." in said(page)
    names = [trace["name"] for trace in embedded(page, "figures")["growth"]["data"]]
    assert "generation 2" not in names
    assert "generation 3" in names


def test_document_without_a_known_unique_has_no_curve_but_a_page():
    told = document()
    for row in told["generations"]:
        row |= {"unique": {}, "unique_tokens": None, "unknown": "no sketch yet"}
    page = build_page(told, [], "lakes")
    assert "How much is new is unknown: no sketch yet." in said(page)
    assert "growth" not in embedded(page, "figures")


def test_document_without_generations_has_a_page():
    told = document() | {"generations": [], "strata": [], "measured": []}
    told["forecast"] = {"scored": 0, "covered": 0, "next": [], "trend": None, "trend_unknown": "-"}
    page = build_page(told, [], "lakes")
    assert "No generation has started yet." in said(page)
    assert embedded(page, "figures") == {}


def test_running_totals_add_up_with_errors_in_quadrature():
    rows = document()["generations"]
    for row, share in zip(rows, (0.03, 0.04, 0.0, 0.0), strict=True):
        row["unique_tokens"] = interval(1000, share)
        row["curve"] = []
    runs = list(running(rows))
    assert [run.points[-1].unique for run in runs] == [1000, 2000, 3000, 4000]
    assert [run.points[-1].half for run in runs] == pytest.approx([30, 50, 50, 50])
    assert [run.points[0].tokens for run in runs] == [0, *(run.end for run in runs[:3])]


def test_curve_points_without_unique_are_left_out_and_the_end_is_the_generations():
    row = document()["generations"][0]
    for point in row["curve"][2:]:
        point["unique"] = point["unique_tokens"] = None
    (run,) = running([row])
    assert [point.batch for point in run.points] == [-1, 0, 1, 7]
    assert run.points[-1].unique == row["unique_tokens"]["estimate"]
    assert run.points[-1].tokens == row["tokens"]["generated"]


def test_cone_starts_at_the_last_point_and_takes_the_tokens_of_its_samples():
    told = document()
    last = list(running(told["generations"]))[-1].points[-1]
    (ahead,) = cone_of(told, last)
    assert ahead.centre.tokens - last.tokens == 4096 * 180
    assert (ahead.low, ahead.high) == (last.unique + 33e3, last.unique + 52e3)


def test_segments_of_a_generation_sum_to_its_samples_even_where_reasons_are_missing():
    for row in document()["generations"]:
        assert sum(part.samples for part in segments(row)) == row["committed"]
        row["reasons"], row["duplicates"] = {}, {}
        assert {part.outcome: part.samples for part in segments(row)} == row["counts"]


def test_marks_are_numbered_in_the_order_of_their_batches():
    told = document()
    told["generations"][1]["decisions"].append(
        {"batch": 3, "action": "sketch_rate", "value": {"rate": 0.25}, "reason": "too many"}
    )
    marks = marks_of(told)
    assert [(m.tag, m.generation, m.batch) for m in marks] == [
        ("A1", 2, 3),
        ("D1", 2, 3),
        ("D2", 2, 6),
        ("D3", 3, 7),
    ]
    assert marks[0].title == "openings in retell: 0.61, usually 0.04"
    assert marks[1].title == "Lower the sample rate: rate 0.25"
    assert marks[2].title == "Stop drawing a stratum: retell"


def test_numbers_that_are_none_become_null_not_broken_json():
    told = document()
    told["generations"][0]["coverage"] = math.nan
    page = build_page(told, [], "lakes")
    assert embedded(page, "ledger")["generations"][0]["coverage"] is None


def test_pieces_of_a_pair_are_its_texts_with_the_differing_words_marked():
    pair = pairs()[1]
    shown = side_by_side(pair)
    assert "".join(piece.text for piece in shown.left) == pair.text
    assert "".join(piece.text for piece in shown.right) == pair.witness_text
    marked = [piece.text for piece in shown.left if piece.differs]
    assert marked == ["hay,", "letters", "follows."]
    assert [p.text for p in shown.right if p.differs] == ["wood,", "papers", "comes after it."]
    assert shown.verdict == "78 % similar, differences marked"
    assert side_by_side(pairs()[0]).verdict == "identical"


def test_long_texts_are_cut_with_the_rest_counted():
    long = "word " * SHOWN_CHARS
    shown = side_by_side(Pair("near:same", 1, "a", "b", long, "c", "word"))
    assert "".join(p.text for p in shown.left).endswith(f"({4 * SHOWN_CHARS:,} more characters)")


@pytest.fixture
def reported(grown, tmp_path, capsys):
    """(page, corpus) of a corpus that the line itself grew."""
    assert main(["report", grown[1], "-o", str(tmp_path / "report.html")]) == 0
    assert "2 generations" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    return (tmp_path / "report.html").read_text(encoding="utf-8"), grown[1]


def test_report_of_a_corpus_holds_its_ledger_and_tells_each_generation_plainly(reported):
    page, corpus = reported
    ledger = read_ledger(open_store(corpus, StoreSpec()))
    assert embedded(page, "ledger") == json.loads(json.dumps(to_json(ledger)))
    for row in to_json(ledger)["generations"]:
        told = f"Generation {row['generation']}: wrote {scaled(row['tokens']['generated'])} tokens"
        assert told in said(page)


def test_report_of_a_corpus_shows_duplicates_beside_their_witnesses(reported, capsys):
    page, corpus = reported
    main(["show", corpus, "-n", "200", "--outcome", "duplicate"])
    text = said(page)
    assert "Exact duplicates of a seed document" in text
    assert "Exact duplicates of an earlier sample of the same generation" in text
    assert "(not found)" not in text
    assert text.count("identical") >= 4
    capsys.readouterr()


def test_report_shows_no_duplicate_of_a_withdrawn_sample(corpus, tmp_path, capsys):
    target = str(tmp_path / "report.html")
    main(["report", str(corpus), "-o", target, "-n", "100"])
    kept = re.findall(r"Kept <span><code>([0-9a-f]+)</code>", _read(target))
    assert kept
    ids = [word for name in sorted(set(kept)) for word in ("--where", f"id={name}")]
    assert main(["withdraw", str(corpus), *ids, "--reason", "licence"]) == 0
    main(["report", str(corpus), "-o", target, "-n", "100"])
    assert re.findall(r"Kept <span><code>([0-9a-f]+)</code>", _read(target)) == []
    capsys.readouterr()


def test_report_of_an_audited_corpus_has_its_precision(corpus, tmp_path, capsys):
    verdicts, page = tmp_path / "verdicts.jsonl", str(tmp_path / "report.html")
    assert main(["audit", str(corpus), "-n", "20", "-o", str(verdicts)]) == 0
    answered = verdicts.read_text("utf-8").replace('"verdict": null', '"verdict": true')
    verdicts.write_text(answered, "utf-8")
    assert main(["audit", str(corpus), "--verdicts", str(verdicts)]) == 0
    assert main(["report", str(corpus), "-o", page]) == 0
    assert "Precision of unique content gen audited right π" in said(_read(page))
    capsys.readouterr()


def test_report_into_a_missing_folder_says_so_and_leaves_nothing(grown, tmp_path, capsys):
    assert main(["report", grown[1], "-o", str(tmp_path / "no" / "report.html")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_report_of_a_folder_without_log_says_so(tmp_path, capsys):
    assert main(["report", str(tmp_path), "-o", str(tmp_path / "report.html")]) == 1
    assert "holds no corpus" in capsys.readouterr().err


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
