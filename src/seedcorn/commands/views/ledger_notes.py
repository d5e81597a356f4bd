"""What stands beside the ledger's tables: forecasts and how they fared, audits."""

from seedcorn.core.figures import scaled
from seedcorn.core.forecast.track_record import Change, change_line
from seedcorn.core.ledger.course import Expectations
from seedcorn.core.ledger.document import Generation, LedgerDocument, Span
from seedcorn.core.ledger.line import abandoned_line
from seedcorn.core.ledger.rows import Audit


def notes(document: LedgerDocument) -> list[str]:
    """Lines for a person, from the ledger document."""
    lines = [abandoned_line(one) for one in document.get("abandoned", ())]
    lines += [line for generation in document["generations"] for line in _of(generation)]
    return lines + _forecast(document["forecast"])


def _of(generation: Generation) -> list[str]:
    audit = generation["precision"]
    lines = [change_line(Change(**change)) for change in generation.get("policy_changes", ())]
    if audit is not None:
        lines.append(_precision(audit, generation["adjusted_unique"]))
    return [f"gen {generation['generation']}  {line}" for line in lines]


def _precision(audit: Audit, adjusted: Span | None) -> str:
    text = (
        f"audit: {audit['right']} of {audit['drawn']} unique shingles are in documents judged "
        f"right, precision {audit['low']:.3f} to {audit['high']:.3f}"
    )
    if adjusted is None:
        return text
    return f"{text}; unique and right: {scaled(adjusted['low'])} to {scaled(adjusted['high'])}"


def _forecast(forecast: Expectations) -> list[str]:
    lines = []
    for coming in forecast["next"]:
        whose = f"{coming['stratum']}: " if coming["stratum"] else ""
        lines.append(
            f"forecast  {whose}the next {coming['samples']:,} samples add "
            f"{scaled(coming['estimate'])} ({scaled(coming['low'])} to {scaled(coming['high'])})"
        )
    if forecast["scored"]:
        wide = f", intervals widened {forecast['widening']:.2g} times" * (forecast["widening"] > 1)
        lines.append(
            f"forecast  {forecast['covered']} of {forecast['scored']} earlier ones contained the "
            f"actual value{wide}"
        )
    if (trend := forecast["trend"]) is not None:
        ends = f"({scaled(trend['low'])} to {scaled(trend['high'])})"
        lines.append(
            f"forecast  by trend the next generation adds {scaled(trend['estimate'])} {ends}"
        )
    return lines
