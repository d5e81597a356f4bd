"""A ledger document written by hand to the contract of format 2, and duplicates to go with it.

Four generations that saturate: the first is alone in being exact, the second met a template, the
third ran out, the fourth is running. Every optional part is there at least once, and missing at
least once.
"""

from itertools import pairwise
from math import exp

from seedcorn.commands.report.pairs import Pair

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&amp;"
SAMPLES = 512
BATCHES = 8
TOKENS_PER_SAMPLE = 180


def interval(estimate, share=0.0):
    """An interval of the document, `share` of the estimate on either side."""
    return {
        "estimate": estimate,
        "low": round(estimate * (1 - share), 6),
        "high": round(estimate * (1 + share), 6),
    }


def document():
    """The document; a fresh one each time, to be changed at will."""
    generations = [_generation(number) for number in (1, 2, 3, 4)]
    _companions(generations)
    for row in generations:
        row["waterfall"] = _waterfall(row)
    generations[1]["alarms"] = [
        {
            "batch": 3,
            "stratum": "retell",
            "name": "openings",
            "value": 0.61,
            "usual": 0.04,
            "text": "In retell, 61 % of sampled documents open with words that another one has "
            "too; the batches before had 4 %.",
        }
    ]
    generations[1]["decisions"] = [
        {
            "batch": 6,
            "action": "drop_stratum",
            "value": {"stratum": "retell"},
            "reason": "openings raised an alarm in two batches running",
        }
    ]
    generations[2]["decisions"] = [
        {
            "batch": 7,
            "action": "stop",
            "value": {"stratum": "", "per_sample": 11.2},
            "reason": f"two forecasts running promise less than 20 per sample {EVIL}",
        }
    ]
    return {
        "format": 2,
        "corpus": "file:///corpora/lakes",
        "sketch_rate": 0.5,
        "generations": generations,
        "strata": [row for g in generations for row in _strata(g)],
        "forecast": {
            "scored": 21,
            "covered": 20,
            "next": [
                {
                    "stratum": "",
                    "samples": 4096,
                    "estimate": 41e3,
                    "low": 33e3,
                    "high": 52e3,
                    "tokens": None,
                },
                {
                    "stratum": "invent",
                    "samples": 4096,
                    "estimate": 60e3,
                    "low": 50e3,
                    "high": 71e3,
                    "tokens": None,
                },
            ],
            "trend": interval(160e3, 0.2),
            "trend_unknown": "",
        },
        "repeats": {"unique": 1.2e6, "epochs": 4, "worth": 4.48e6},
        "measured": [
            {
                "generation": g["generation"],
                "engine_hours": 0.0 if g["generation"] == 4 else 2.5,
                "unique_per_engine_hour": None
                if g["generation"] == 4
                else g["unique"]["8"]["estimate"] / 2.5,
                "next_hour": None,
                "engine_time": {},
                "curve": [],
            }
            for g in generations
        ],
    }


def _generation(number):
    batches = 3 if number == 4 else BATCHES
    share = 0.0 if number == 1 else 0.012
    ceiling = {1: 900e3, 2: 600e3, 3: 300e3, 4: 250e3}[number]
    curve = [_point(batch, ceiling, share) for batch in range(batches)]
    last = curve[-1]
    unique = last["unique"]["estimate"]
    counts = last["counts"]
    return {
        "generation": number,
        "recipe": "lakes" if number < 3 else f"lakes {EVIL}",
        "status": "running" if number == 4 else "finished",
        "reason": {1: "exhausted", 2: "exhausted", 3: "stop_rule", 4: ""}[number],
        "detail": {3: "the next sample promises 11.2"}.get(number, ""),
        "planned": SAMPLES * BATCHES,
        "committed": last["samples"],
        "counts": counts,
        "reasons": _reasons(counts),
        "duplicates": {"exact:same": 20 * batches, "near:same": 25 * batches, "near:seed": batches},
        "tokens": {
            "accepted": last["accepted"],
            "generated": last["generated"],
            "prompt": 3 * last["generated"],
        },
        "unit": "uat",
        "unique": {
            "3": interval(round(unique * 0.7), share),
            "8": interval(unique, share),
            "13": interval(round(unique * 1.02), share),
        },
        "unknown": "",
        "instances": None,
        "yield_per_token": unique / last["accepted"],
        "withdrawn": {"samples": 3 if number == 1 else 0, "tokens": 500 if number == 1 else 0},
        "net_unique": {"8": interval(round(unique * 0.99), share)},
        "marked": {},
        "containment": {"documents": 400, "half": 11, "seen": 900 * number, "shingles": 12000},
        "curve": curve,
        "forecasts": _forecasts(number, curve),
        "companions": None,
        "ledger_unit": 2,
        "unique_tokens": interval(round(unique * 0.8), share),
        "unique_share": interval(0.8 * unique / last["accepted"], share),
        "short": {"documents": 3, "tokens": 12, "unique": 4.0},
        "net_unique_tokens": interval(round(unique * 0.79), share),
        "verdict": {
            "colour": "look",
            "reason": f"generation {number} is not finished {EVIL}",
            "next": "",
            "sentence": f"Look: generation {number} is not finished {EVIL}.",
        },
        "precision": None,
        "adjusted_unique": None,
        "information_budget": 812.5 * batches,
        "coverage": 0.1 * number,
        "alarms": [],
        "decisions": [],
    }


def _point(batch, ceiling, share):
    samples = SAMPLES * (batch + 1)
    counts = {
        "accepted": 310 * (batch + 1),
        "duplicate": 46 * (batch + 1),
        "failed": 4 * (batch + 1),
        "rejected": 152 * (batch + 1),
    }
    unique = round(ceiling * 0.5 * (1 - exp(-samples / 4000)))
    return {
        "batch": batch,
        "samples": samples,
        "generated": samples * TOKENS_PER_SAMPLE,
        "accepted": counts["accepted"] * TOKENS_PER_SAMPLE,
        "counts": counts,
        "unique": interval(unique, share),
        "unique_tokens": interval(round(unique * 0.8), share),
    }


def _reasons(counts):
    return {
        "duplicate:exact:same": 20 * counts["duplicate"] // 46,
        "duplicate:near:same": 25 * counts["duplicate"] // 46,
        "duplicate:near:seed": counts["duplicate"] // 46,
        "failed:request_refused": counts["failed"],
        "rejected:length": counts["rejected"] // 2,
        "rejected:refusal": counts["rejected"] // 2,
    }


def _forecasts(number, curve):
    """One per batch from the second on; in generation 2 one misses, in 4 one waits."""
    made = []
    for before, now in pairwise(curve):
        truth = now["unique"]["estimate"] - before["unique"]["estimate"]
        estimate = truth * (1.02 if now["batch"] % 2 else 0.97)
        if (number, now["batch"]) == (2, 5):
            estimate = truth * 1.6
        one = {"batch": now["batch"], "stratum": "", "samples": SAMPLES, "estimate": estimate}
        one |= {"low": estimate * 0.85, "high": estimate * 1.15, "truth": truth}
        made.append(one | {"covered": one["low"] <= truth <= one["high"]})
    if number == 4:
        made.append(made[-1] | {"batch": 3, "truth": None, "covered": None})
    return made


def _companions(generations):
    histogram = [0, 2, 3, 5, 8, 10, 9, 12, 15, 20, 26, 33, 41, 48, 52, 44, 30, 22, 12, 8]
    for row, shift, mean in zip(generations[:3], (0, 4, 8), (0.66, 0.51, 0.38), strict=True):
        row["companions"] = {
            "documents": 400,
            "novel_share": {
                "mean": interval(mean, 0.03),
                "histogram": histogram[shift:] + [0] * shift,
            },
            "novel_bits": interval(3.1e6 * mean, 0.05),
            "order_gap": interval(0.83, 0.04),
            "anchor_gain": None if row["generation"] == 1 else interval(0.0061, 0.2),
            "compression_ratio": 2.9,
            "openings": 0.041,
            "vendi": 311.4,
        }
    generations[0]["precision"] = {"estimate": 0.9775, "low": 0.958, "high": 0.99} | {
        "drawn": 400,
        "right": 391,
        "documents": 380,
        "auditor": "a person",
        "sha256": "0" * 64,
        "entries": 30,
    }
    generations[0]["adjusted_unique"] = {"low": 276e3, "high": 286e3}


def _waterfall(row):
    """The first is known to the end, the others stop where nobody audited."""
    unique, first = row["unique_tokens"], row["generation"] == 1
    left = {end: round(value * 0.7) for end, value in unique.items()}
    left |= {"low": left["low"] * 0.95, "high": left["high"] * 1.05}
    right = {"low": left["low"] * 0.958, "high": left["high"] * 0.99}
    return {
        "generated": row["tokens"]["generated"],
        "accepted": row["tokens"]["accepted"],
        "unique": unique,
        "unexplained": left if row["companions"] else None,
        "right": right if first else None,
    }


def worthwhile():
    """A finished generation whose worth is known."""
    made = document()
    made["generations"], made["measured"] = made["generations"][:1], made["measured"][:1]
    made["strata"] = [row for row in made["strata"] if row["generation"] == 1]
    row, gains = made["generations"][0], [0.0, 1.1e-3, 2.0e-3, 2.9e-3, 3.6e-3]
    row["companions"] |= {
        "worth": {"estimate": 38.2, "low": 31.4, "high": 45.9, "words": 48211},
        "teaching": {
            "words": [0, 25000, 50000, 100000, 200000],
            "generation": gains,
            "yardstick": [0.0, 2.9e-3, 5.4e-3, 9.0e-3, None],
        },
    }
    row["verdict"] = {
        "colour": "go",
        "reason": "it teaches",
        "next": "",
        "sentence": "Worth going on: 100 words of generation 1 taught as much as 38 [31, 46] words "
        "of fresh text.",
    }
    made["measured"][0] |= {"paid_hours": 2.9, "unique_tokens_per_paid_hour": 41.2e3}
    return made


def _strata(row):
    for name, part in (("retell", 0.7), ("invent", 0.4)):
        unique = row["unique"]["8"]
        scaled = {key: round(value * part) for key, value in unique.items()}
        yield {
            "generation": row["generation"],
            "stratum": name if row["generation"] < 3 else f"{name} {EVIL}",
            "counts": {key: int(value * part / 1.1) for key, value in row["counts"].items()},
            "tokens": int(row["tokens"]["accepted"] * part / 1.1),
            "unit": "uat",
            "unique": {"8": scaled},
            "exclusive": {"8": {key: round(value * 0.85) for key, value in scaled.items()}},
            "net_unique": {"8": scaled},
            "yield_per_token": row["yield_per_token"],
            "next": {"samples": 100, "estimate": 900.0, "low": 700.0, "high": 1100.0}
            if name == "invent"
            else None,
            "precision": None,
            "form": {"compression_ratio": 2.8, "openings": 0.03 if name == "invent" else 0.61},
        }


def pairs():
    """Two kinds of duplicates; the second holds what a careless page would run."""
    lake = "Lake Anna lies eleven metres deep in its valley, and the boats that cross it in March "
    return [
        Pair("exact:same", 1, "invent", "a1", lake, "b1", lake, 1.0),
        Pair(
            "near:seed",
            2,
            "retell",
            "a2",
            lake + "carry hay, cheese and letters to the farms on the far shore.\n\nA second one "
            f"follows. {EVIL}",
            "lakes:4",
            lake + "carry wood, cheese and papers to the farms on the far shore.\n\nA second one "
            f"comes after it. {EVIL}",
            0.78,
        ),
    ]
