"""The ledger as tables: one row per generation, one per stratum, and what the unit means."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seedcorn.commands.views.output import figures
from seedcorn.core.figures import counted, scaled
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.judging import verdict_of
from seedcorn.core.ledger.line import line
from seedcorn.core.ledger.rows import Containment, GenerationRow, Short, StratumRow, Unique
from seedcorn.core.ledger.verdict.verdict import GO, LOOK, STOP
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.scheduling.goodput import goodput_line
from seedcorn.core.sketch.sketch import HEADLINE

SHOWN = 8
"""Alarms per generation that are listed; the rest is counted."""
COLOURS = {GO: "bold green", LOOK: "bold yellow", STOP: "bold red"}
_SHINGLES = f"the {HEADLINE}-word shingles of"
_SHARE = f"the share of its {HEADLINE}-word shingles that nothing earlier in the corpus contains"
TOKEN_KIND_LINES = {
    (
        1,
        "uat",
    ): f"uat: unique accepted tokens, {_SHINGLES} accepted samples that nothing earlier in "
    "the corpus contains",
    (1, "uvt"): f"uvt: unique verified tokens, {_SHINGLES} samples whose content a check judged "
    "right and that nothing earlier in the corpus contains",
    (2, "uat"): f"uat: unique accepted tokens, of each accepted sample's tokens {_SHARE}",
    (2, "uvt"): "uvt: unique verified tokens, of the tokens of each sample whose content a check "
    f"judged right {_SHARE}",
}
"""By number of the ledger's unit."""


def print_ledger(
    console: Console,
    rows: Sequence[GenerationRow],
    strata: Sequence[StratumRow] = (),
    notes: Sequence[str] = (),
) -> None:
    """Print everything there is to say about these rows; `notes` are further lines."""
    if not rows:
        console.print("\n".join(notes) or "no generation has started yet", soft_wrap=True)
        return
    said = verdict_of(rows[-1])
    console.print(Text(said.sentence, style=COLOURS[said.colour]), soft_wrap=True)
    for row in rows:
        console.print(line(row), soft_wrap=True)
    console.print()
    console.print(generation_table(rows))
    console.print()
    for row in rows:
        for text in details(row):
            console.print(text, soft_wrap=True)
    if strata:
        console.print()
        console.print(stratum_table(strata))
        console.print()
    for text in notes:
        console.print(text, soft_wrap=True)
    for token_kind in sorted({(row.ledger_unit, row.unit) for row in rows}):
        console.print(TOKEN_KIND_LINES[token_kind], soft_wrap=True)


def token_kind_of(rows: Sequence[GenerationRow] | Sequence[StratumRow]) -> str:
    """The unit of U, or both where generations differ in whether a check verifies."""
    return "/".join(sorted({row.unit for row in rows})) or "uat"


def generation_table(rows: Sequence[GenerationRow]) -> Table:
    """What each generation added."""
    token_kind = token_kind_of(rows)
    paid = "paid " * any(row.unique_tokens_per_paid_hour is not None for row in rows)
    rates = ("per\ntoken", f"{token_kind} per\n{paid}engine-h")
    table = figures(
        "gen", "planned", *OUTCOMES, "accepted\ntokens", f"unique\n({token_kind})", *rates
    )
    for row in rows:
        table.add_row(
            str(row.generation),
            f"{row.planned:,}",
            *(f"{row.counts[outcome]:,}" for outcome in OUTCOMES),
            scaled(row.tokens["accepted"]),
            _new(row),
            _ratio(_yield(row)),
            _optional(_per_hour(row)),
        )
    return table


def stratum_table(rows: Sequence[StratumRow]) -> Table:
    """What each stratum added; strata overlap, only the exclusive part is theirs alone."""
    unique = (f"unique\n({token_kind_of(rows)})", "exclusive", "per\ntoken")
    table = figures("gen", "stratum", *OUTCOMES, "accepted\ntokens", *unique, left=2)
    for row in rows:
        table.add_row(
            str(row.generation),
            row.stratum,
            *(f"{row.counts[outcome]:,}" for outcome in OUTCOMES),
            scaled(row.tokens),
            _new(row),
            headline(row.exclusive),
            _ratio(_yield(row)),
        )
    return table


def details(row: GenerationRow) -> list[str]:
    """What does not fit a column: U by shingle length, reasons of drops, withdrawals, status."""
    lines = []
    if row.unique:
        lengths = ", ".join(f"{n}: {_estimate(i)}" for n, i in sorted(row.unique.items()))
        lines.append(f"U, unique shingles by words: {lengths}")
    else:
        lines.append(f"U unknown: {row.unknown}")
    if row.short is not None and row.short["documents"]:
        lines.append(_short(row.short))
    dropped = [f"{name} {count:,}" for name, count in row.reasons.items()]
    if dropped:
        lines.append(f"dropped: {', '.join(dropped)}")
    lines += _containment(row.containment)
    if row.marked:
        families = ", ".join(f"{family} {count:,}" for family, count in row.marked.items())
        lines.append(
            f"warning: accepted samples hold markers of reasoning ({families}); where they are left of "
            "traces, name their family in engine.reasoning.markers"
        )
    lines += _happened(row)
    if spent := goodput_line(row.engine_time):
        lines.append(f"engine time: {spent}")
    lines += _prices(row)
    if row.withdrawn["samples"]:
        net = net_headline(row)
        lines.append(f"withdrawn: {counted(row.withdrawn['samples'], 'sample')}; net unique {net}")
    if row.status == "running":
        lines.append(f"unfinished: {row.committed:,} of {row.planned:,} samples committed")
    return [f"gen {row.generation}  {text}" for text in lines]


def _happened(row: GenerationRow) -> list[str]:
    """Decisions and alarms, in this order: they say why the generation is as it is."""
    lines = [f"decided for batch {d.batch}: {d.action}, {d.reason}" for d in row.decisions]
    lines += [f"alarm in batch {a.batch}, {a.stratum}: {a.text}" for a in row.alarms[:SHOWN]]
    if len(row.alarms) > SHOWN:
        lines.append(f"{counted(len(row.alarms) - SHOWN, 'more alarm')}, see --json")
    return lines


def _containment(found: Containment) -> list[str]:
    shingles, documents = found.get("shingles"), found.get("documents", 0.0)
    if not shingles:
        return []
    return [
        f"containment: {found.get('seen', 0.0) / shingles:.1%} of sampled 8-word shingles seen "
        f"before; {found.get('half', 0.0):,.0f} of {documents:,.0f} samples at least half seen before"
    ]


def _short(found: Short) -> str:
    return (
        f"short: {counted(found['documents'], 'sample')} below {HEADLINE} words, "
        f"{found['unique']:,.0f} of {counted(found['tokens'], 'token')} unique"
    )


def _new(row: GenerationRow | StratumRow) -> str:
    """What was added, in the ledger's unit."""
    return headline(row.unique) if row.unique_tokens is None else _estimate(row.unique_tokens)


def _yield(row: GenerationRow | StratumRow) -> float | None:
    return row.unique_share.estimate if row.unique_share is not None else row.yield_per_token


def _prices(row: GenerationRow) -> list[str]:
    """What was paid, by stratum, and tokens that were spent for nothing."""
    lines = []
    if row.paid_hours is not None:
        unique, busy = row.net_unique_tokens, row.engine_hours
        rates = [(row.unique_tokens_per_paid_hour, "paid"), (_each(unique, busy), "busy")]
        told = [f"{scaled(rate)} {row.unit} per {what} hour" for rate, what in rates if rate]
        lines.append(", ".join([f"paid: {row.paid_hours:.3g} engine-hours", *told]))
    for name, times in row.strata_times.items() if len(row.strata_times) > 1 else ():
        rate, hours = times["unique_tokens_per_paid_hour"], times["paid_hours"]
        if rate is not None:
            lines.append(f"paid: {name}: {hours:.3g} engine-hours, {scaled(rate)} {row.unit} each")
    if row.regenerated_tokens:
        spent = row.tokens["generated"] + row.regenerated_tokens
        lines.append(
            f"tokens spent: {spent:,}, of which {row.regenerated_tokens:,} on work that was done twice"
        )
    return lines


def _each(unique: Interval | None, hours: float) -> float | None:
    return unique.estimate / hours if unique is not None and hours else None


def _per_hour(row: GenerationRow) -> float | None:
    if row.unique_tokens_per_paid_hour is not None:
        return row.unique_tokens_per_paid_hour
    if row.unique_tokens is None:
        return row.unique_per_engine_hour
    return row.unique_tokens.estimate / row.engine_hours if row.engine_hours else None


def net_headline(row: GenerationRow) -> str:
    """What is left after withdrawals, in the ledger's unit."""
    if row.net_unique_tokens is not None:
        return _estimate(row.net_unique_tokens)
    return headline(row.net_unique)


def headline(unique: Unique) -> str:
    """U with its error, or a dash where it cannot be told."""
    return _estimate(unique[HEADLINE]) if unique else "-"


def _estimate(interval: Interval) -> str:
    if interval.exact:
        return f"{interval.estimate:,.0f}"
    return f"{scaled(interval.estimate)} ({scaled(interval.low)} to {scaled(interval.high)})"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _optional(value: float | None) -> str:
    return "-" if value is None else scaled(value)
