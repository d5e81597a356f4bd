"""The delta report in words: one line for schedulers, and sentences that explain a night.

Invariant: pure, and every figure in a sentence stands in the report's values; what is not known is
said to be unknown.
"""

from collections.abc import Iterator, Sequence

from seedcorn.core.figures import counted, error, percent, scaled, with_bounds
from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.course import AlarmNote
from seedcorn.core.night.document import SKIPPED, UNFINISHED, DriftNote, GrownNight, NightReport
from seedcorn.core.night.drift import FALL, RISE, UNKNOWN
from seedcorn.core.scheduling.goodput import goodput_line

NAMES = {
    "unique": "unique tokens",
    "unique_per_sample": "unique tokens per sample",
    "yield_per_token": "unique tokens per accepted token",
    "accepted_share": "share accepted",
    "duplicate_share": "share of duplicates",
    "rejected_share": "share rejected",
    "failed_share": "share failed",
    "contained_share": "share of shingles seen before",
    "novel_share": "novel share per document",
}
"""What the figures that are held against earlier nights are called."""
LISTED = 5
"""Missed nights that are listed one by one."""
ENDINGS = {
    "exhausted": "with its plan complete",
    "target": "at the corpus's target",
    "stop_rule": "by the stop rule",
    "budget": "by its budget",
}


def summary(report: NightReport) -> str:
    """One line for schedulers and people in a hurry."""
    if report["status"] == SKIPPED:
        return f"night {report['night']}: nothing grown: {report['detail']}"
    accepted, committed = report["counts"]["accepted"], report["committed"]
    said = f"{report['verdict']['sentence']} " if "verdict" in report else ""
    parts = [f"{said}{_added(report)}", f"{accepted:,} of {committed:,} accepted"]
    hours = report["measured"]["engine_hours"]
    if hours is not None:
        parts.append(f"{scaled(hours)} engine-hours")
    if report["status"] == UNFINISHED:
        parts.append(f"unfinished, {report['planned']:,} planned")
    elif report["reason"] != "exhausted":
        parts.append(f"ended {_ending(report)}")
    coming = report["next"]
    if coming is not None:
        parts.append(f"next night {with_bounds(coming)}")
    return f"night {report['night']}: {', '.join([*parts, _alarms(report)])}"


def sentences(report: NightReport) -> list[str]:
    """What the night did and why, most important first."""
    if report["status"] == SKIPPED:
        return [f"Nothing was grown: {report['detail']}.", *_around(report)]
    said = [report["verdict"]["sentence"]] if "verdict" in report else []
    lines = [*said, *_content(report), *_forecast(report), *_alarmed(report), *_drifts(report)]
    return [*lines, *_strata(report), *_around(report)]


def _content(report: GrownNight) -> Iterator[str]:
    share, unique, total = "", *_counted(report)
    if unique and total:
        part = unique["estimate"] / total
        share = f", {percent(part)} of the {scaled(total)} the corpus holds"
    added = f"unknown unique tokens ({report['unknown']})"
    if unique:
        added = f"{scaled(unique['estimate'])} unique tokens ({error(unique)})"
    yield f"Generation {report['generation']} added {added}{share}."
    counts, committed = report["counts"], report["committed"]
    outcomes = ", ".join(f"{counts[name]:,} {name}" for name in counts)
    yield f"Of {counted(committed, 'sample')}: {outcomes}."
    if report["status"] == UNFINISHED:
        yield f"It is not finished: {committed:,} of {report['planned']:,} planned samples."
    else:
        why = "" if report["reason"] == "exhausted" else f": {report['detail']}"
        yield f"It ended {_ending(report)}{why}."
    times, tokens = report["measured"], scaled(report["tokens"]["generated"])
    hours, rate = times["engine_hours"], times["unique_per_engine_hour"]
    if report.get("unique_tokens") and unique and hours:
        rate = unique["estimate"] / hours
    if hours is None:
        yield f"It took {tokens} generated tokens."
    else:
        each = f", {scaled(rate)} {report['unit']} an engine-hour" if rate is not None else ""
        yield f"It took {tokens} generated tokens and {scaled(hours)} engine-hours{each}."
    if spent := goodput_line(times["engine_time"]):
        yield f"Engine time: {spent}."


def _forecast(report: GrownNight) -> Iterator[str]:
    expected, coming = report["expected"], report["next"]
    if expected is not None:
        came = "inside" if expected["held"] else "outside"
        yield (
            f"Earlier nights predicted {with_bounds(expected)} from "
            f"{counted(expected['samples'], 'sample')}: the result is {came} that interval."
        )
    if coming is None:
        yield "What the next night would add is unknown: there are too few nights for a trend."
    elif coming["basis"] == "trend":
        yield (
            f"The next night's {coming['samples']:,} samples would add {with_bounds(coming)}, by the "
            f"trend over {counted(coming['nights'], 'generation')}."
        )
    else:
        yield (
            f"The next night's {coming['samples']:,} samples would add {with_bounds(coming)} if it "
            "went like this one; there are too few nights for a trend."
        )


def _alarmed(report: GrownNight) -> Iterator[str]:
    for (stratum, name), raised in _raised(report).items():
        where = f" in {stratum}" if stratum else ""
        more = (
            f" The same in {counted(len(raised) - 1, 'more batch', 'more batches')}."
            if len(raised) > 1
            else ""
        )
        first = f"batch {raised[0]['batch']}: {raised[0]['text']}"
        yield f"Alarm ({name}){where}, {first}.{more}"
    for one in report["decisions"]:
        action = one["action"].replace("_", " ")
        yield f"Decided from batch {one['batch']} on: {action} ({one['reason']})."
    if not report["alarms"] and not report["decisions"]:
        yield "No alarm went off and nothing was decided."


def _drifts(report: GrownNight) -> Iterator[str]:
    known = {name: found for name, found in report["drift"].items() if found is not None}
    judged = {n: found for n, found in known.items() if found["verdict"] != UNKNOWN}
    if not judged:
        yield "There are too few earlier nights to say what is usual."
        return
    moved = {n: found for n, found in judged.items() if found["verdict"] in (RISE, FALL)}
    nights = max(found["nights"] for found in judged.values())
    if not moved:
        yield f"Every figure is in its usual range over the {counted(nights, 'night')} before."
    for name, found in moved.items():
        yield f"{NAMES[name].capitalize()} {found['verdict']}: {_moved(name, found)}."


def _moved(name: str, found: DriftNote) -> str:
    word = percent if name.endswith("share") else scaled
    text, nights = word(found["value"]), counted(found["nights"], "night")
    if found["mean"] is not None:
        text = f"{text}, {word(found['mean'])} on average in the {nights} before"
    if found["low"] is None or found["high"] is None:
        return text
    return f"{text} (usual: {word(max(0.0, found['low']))} to {word(found['high'])})"


def _strata(report: GrownNight) -> Iterator[str]:
    for one in report["strata"]:
        found = one["per_sample"]
        if found is None:
            yield f"Stratum {one['stratum']} was not drawn, unlike the night before."
        elif found["nights"] == 0 and report["generation"] > 1:
            each = scaled(found["value"])
            yield f"Stratum {one['stratum']} is new: {each} unique tokens per sample."
        elif found["verdict"] in (RISE, FALL):
            change = _moved("per_sample", found)
            yield (
                f"Stratum {one['stratum']} {found['verdict']} in unique tokens per sample: {change}."
            )


def _around(report: NightReport) -> Iterator[str]:
    for one in report["seeds"]:
        if report["generation"] == 1:
            yield f"The seed is {counted(one['rows'], 'row')} of {one['source']}."
        else:
            yield (
                f"The seed gained {counted(one['rows'], 'row')} as {one['source']}, which are "
                "parents from now on."
            )
    if report["missed"]:
        yield f"{_missed(report['missed'])} since night {report['before']}."
    for one in report["skipped"]:
        yield f"Night {one['night']} grew nothing: {one['text']}."
    for batch in report["taken_over"]:
        yield (
            f"From batch {batch} on, another driver wrote: the one before it had stopped or died; "
            "what it had staged was reused, and nothing was lost or duplicated."
        )


def _missed(nights: Sequence[str]) -> str:
    if len(nights) == 1:
        return f"Night {nights[0]} was missed: no generation"
    named = ", ".join(nights) if len(nights) <= LISTED else f"{nights[0]} to {nights[-1]}"
    return f"{len(nights)} nights were missed: no generation in {named}"


def _counted(report: GrownNight) -> tuple[Bounds | None, float | None]:
    """What the night added, and what the corpus holds, as the ledger's unit counts it."""
    if report.get("unique_tokens"):
        return report["unique_tokens"], report["total_tokens"]
    return report["unique"], report["total"]


def _added(report: GrownNight) -> str:
    unique, _ = _counted(report)
    if not unique:
        return f"unknown unique tokens ({report['unknown']})"
    return f"+{scaled(unique['estimate'])} {report['unit']} ({error(unique)})"


def _ending(report: GrownNight) -> str:
    if report["deadline"]:
        return "at its deadline"
    return ENDINGS.get(report["reason"], report["reason"].replace("_", " "))


def _alarms(report: GrownNight) -> str:
    strata: dict[str, list[str]] = {}
    for stratum, name in _raised(report):
        strata.setdefault(stratum, []).append(name)
    named = [f"{stratum or 'all'} ({', '.join(names)})" for stratum, names in strata.items()]
    return f"alarms in {' and '.join(named)}" if named else "no alarm"


def _raised(report: GrownNight) -> dict[tuple[str, str], list[AlarmNote]]:
    """Alarms by stratum and name: one that goes on is one sentence."""
    found: dict[tuple[str, str], list[AlarmNote]] = {}
    for alarm in report["alarms"]:
        key = alarm["stratum"], alarm["name"].replace("_", " ")
        found.setdefault(key, []).append(alarm)
    return found
