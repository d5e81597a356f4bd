"""What the log says of a decided batch, and what it adds to the ledger."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from seedcorn.core.dedup.batch import Outcomes, SealRule, StagedBatch
from seedcorn.core.dedup.sealing import SealRequest, tally
from seedcorn.core.generate.reasoning import marked
from seedcorn.core.ledger.alarms import form_of, spaced
from seedcorn.core.log.entries import BatchCommitted, ObjectRef
from seedcorn.core.scheduling.goodput import split, summed
from seedcorn.core.sketch.latents import latent_hashes
from seedcorn.core.sketch.sketch import LATENT, Delta, batch_delta, limit
from seedcorn.core.sketch.unique_tokens import AcceptedTexts
from seedcorn.core.text.shingles import below


@dataclass(frozen=True, slots=True)
class Written:
    """What a sealed batch put on the store, and what was measured of it."""

    data: list[ObjectRef]
    dropped: list[ObjectRef]
    sketch: ObjectRef | None
    rate: float
    containment: dict[str, float]
    marked: dict[str, int] = field(default_factory=dict)
    unique: dict[str, dict[str, float]] = field(default_factory=dict)


def marks_of(batch: StagedBatch, outcomes: Outcomes, rule: SealRule) -> dict[str, int]:
    """Accepted texts that still hold a marker of a trace, by family."""
    if rule.reasoning is None:
        return {}
    texts = (batch.texts[int(row)] for row in np.flatnonzero(outcomes.accepted))
    return marked(texts, rule.reasoning)


def sketch_of(batch: StagedBatch, outcomes: Outcomes, rule: SealRule) -> Delta:
    """What the batch adds to the ledger, at the rule's sample rate."""
    top = limit(rule.rate)
    thinned = {length: below(found, top) for length, found in batch.shingles.items()}
    counted_texts = zip(batch.texts, outcomes.passed, strict=True)
    latent = latent_hashes(
        [text if passed else "" for text, passed in counted_texts], rule.checks, top
    )
    if latent is not None:
        thinned[LATENT] = latent
    numbers = np.array([rule.strata.index(stratum) for stratum in batch.strata], np.uint8)
    group = batch.index // rule.group if rule.group > 1 else None
    return batch_delta(thinned, outcomes.accepted, outcomes.passed, numbers, rule.rate, group)


def accepted_texts(batch: StagedBatch, outcomes: Outcomes, rule: SealRule) -> AcceptedTexts:
    """The batch as far as unique tokens ask."""
    group = batch.index // rule.group if rule.group > 1 else None
    return AcceptedTexts(outcomes.accepted, batch.words.counts, batch.own_tokens, group)


def entry_of(
    batch: StagedBatch, outcomes: Outcomes, request: SealRequest, written: Written
) -> BatchCommitted:
    """The log entry that makes the batch exist."""
    named = [str(value) for value in outcomes.columns["outcome"]]
    why = [str(reason or "") for reason in outcomes.columns["reason"]]
    counts, reasons, strata = tally(named, why, batch.strata, batch.tokens.tolist())
    lost = batch.lost
    goodput = split(named, batch.seconds, lost.seconds)
    strata_held = [*batch.strata, *lost.in_flight], [*batch.in_flight, *lost.in_flight.values()]
    return BatchCommitted(
        form=_forms(batch, outcomes),
        generation=request.generation,
        batch=request.batch,
        first_unit=request.first_unit,
        last_unit=request.last_unit,
        first_index=request.first_index,
        last_index=request.last_index,
        ordinal=request.ordinal,
        counts=counts,
        reasons=reasons,
        strata=strata,
        tokens={
            "accepted": int(batch.tokens[outcomes.accepted].sum()),
            "generated": int(batch.tokens.sum()),
            "prompt": int(batch.prompt_tokens.sum()),
        },
        data=written.data,
        dropped=written.dropped,
        sketch=written.sketch,
        sketch_rate=written.rate,
        engine_seconds=sum(goodput.values()),
        goodput=goodput,
        containment=written.containment,
        marked=written.marked,
        unique=written.unique,
        slot_seconds=summed(*strata_held),
        regenerated=_nonzero(generated=lost.tokens, prompt=lost.prompt_tokens),
    )


def _nonzero(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _forms(batch: StagedBatch, outcomes: Outcomes) -> dict[str, dict[str, float]]:
    """How alike the verified texts of each stratum are."""
    strata, forms = np.array(batch.strata, dtype=object), {}
    for stratum in sorted(set(strata[outcomes.passed])):
        of = np.flatnonzero(outcomes.passed & (strata == stratum))
        witnesses = Counter(filter(None, (outcomes.columns["duplicate_of"][n] for n in of)))
        absorbed = max(witnesses.values(), default=0)
        texts = [batch.texts[int(n)] for n in spaced(list(of))]
        forms[str(stratum)] = form_of(texts, len(of), absorbed, batch.words.rule)
    return forms
