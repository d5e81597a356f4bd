"""What the report says in place of a figure that is not there: that it is missing, and why."""

from seedcorn.commands.report.blocks import Text
from seedcorn.commands.report.words import RHO, Document, with_ends

OUTCOMES = "No batch has been committed yet, so no sample has an outcome."
COST = "No engine time was recorded, so there is no yield per engine-hour."
NOVELTY = (
    f"The novel share of documents ({RHO}) was not measured in any generation: the recipe's "
    "ledger.companions asks for it."
)
COMPANIONS = "No companion of U was measured in any generation."
SCORES = "No forecast has met its batch yet, so how often they hold is unknown."
WORTH = "What repeating the corpus is worth was not computed."
AUDIT = (
    "No audit has been recorded, so how much of the unique content is right is unknown. "
    "`seedcorn audit CORPUS -n 400` draws what to look at."
)
PAIRS = "No duplicate is shown: there is none, or no texts were given for this page."


def growth(document: Document) -> Text:
    """Why there is no curve."""
    rows = document["generations"]
    why = rows[0].get("unknown") if rows else "no generation has started"
    return Text(f"There is no curve: {why or 'nothing was counted yet'}.", missing=True)


def trend(document: Document) -> Text:
    """What the next generation should add, or why nobody can say."""
    forecast = document.get("forecast") or {}
    if forecast.get("trend"):
        return Text(f"The next generation should add {with_ends(forecast['trend'])} unique tokens.")
    why = forecast.get("trend_unknown") or "no forecast was made"
    return Text(f"What the next generation adds is unknown: {why}.", missing=True)
