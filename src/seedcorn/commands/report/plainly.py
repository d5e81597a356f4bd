"""One generation in plain words, for the list under the first chart.

The ledger's line says the same in its own terms. Invariant: a sentence stands there exactly if its
figure is known.
"""

from collections.abc import Iterator

from seedcorn.commands.report.words import number, with_ends
from seedcorn.core.companions.order_gap import NOISE
from seedcorn.core.figures import counted, error, percent
from seedcorn.core.ledger.accounts import RUNNING
from seedcorn.core.ledger.document import Generation, GivenUp, Times
from seedcorn.core.ledger.measures import added_by, headline_hour, headline_rate, net_headline


def generation_plainly(row: Generation, times: Times) -> str:
    """`Generation 1: wrote 737 k tokens, …`, most important first."""
    told = [_wrote(row), *_made_of(row), *_beside(row), *_paid(row, times), *_after(row)]
    return f"Generation {row['generation']}: {' '.join(told)}"


def abandoned_plainly(one: GivenUp) -> str:
    """A generation that counts for nothing."""
    why = f": {one['reason']}" if one["reason"] else ""
    had = f"{one['committed']:,} of {counted(one['planned'], 'sample')}"
    return f"Generation {one['generation']}: abandoned after {had}, none of which counts{why}."


def _wrote(row: Generation) -> str:
    text = f"wrote {number(row['tokens']['generated'])} tokens"
    if row["committed"]:
        share = percent(row["counts"]["accepted"] / row["committed"])
        text += f" in {counted(row['committed'], 'sample')}, of which {share} were accepted"
    return f"{text}."


def _made_of(row: Generation) -> Iterator[str]:
    unique, instances = added_by(row), row["instances"]
    if unique is None:
        yield f"How much of it is new is unknown: {row['unknown']}."
    else:
        yield f"It added {number(unique['estimate'])} unique tokens ({error(unique)})."
    if instances:
        yield f"It has {number(instances['estimate'])} different program instances."
    found = row["precision"]
    if found is not None:
        span = f"{percent(found['low'])} to {percent(found['high'])}"
        yield f"An audit found {percent(found['estimate'])} of what is new right ({span})."


def _beside(row: Generation) -> Iterator[str]:
    found, containment = row["companions"] or {}, row["containment"]
    if shingles := containment.get("shingles"):
        share = percent(containment.get("seen", 0.0) / shingles)
        yield f"{share} of its word sequences stood in earlier documents."
    if share := found.get("novel_share"):
        yield f"Earlier text explains {percent(1 - share['mean']['estimate'])} of a document on average."
    gap, worth = found.get("order_gap"), found.get("worth")
    if gap is not None and gap["high"] < NOISE:
        yield "The order of its words carries nothing, as in shuffled text."
    if worth is not None:
        taught = f"{worth['estimate']:.0f} ({worth['low']:.0f} to {worth['high']:.0f})"
        yield f"A hundred words of it taught as much as {taught} words of fresh real text."


def _paid(row: Generation, times: Times) -> Iterator[str]:
    rate, coming = headline_rate(row, times), headline_hour(times)
    if rate is not None:
        yield f"An engine-hour bought {number(rate)} unique tokens."
    if coming is not None:
        yield f"The next hour would buy {with_ends(coming)}."


def _after(row: Generation) -> Iterator[str]:
    if row["withdrawn"]["samples"]:
        net = net_headline(row)
        left = f"; {number(net['estimate'])} unique tokens are left" if net else ""
        yield f"{counted(row['withdrawn']['samples'], 'sample')} withdrawn since{left}."
    if row["status"] == RUNNING:
        yield f"It is running: {row['committed']:,} of {counted(row['planned'], 'sample')}."
