"""What an export says of itself: sentences for its card and for the terminal."""

from collections.abc import Sequence
from typing import Any

from seedcorn.core.export.manifest import Manifest
from seedcorn.core.figures import counted, size
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.recipe import document
from seedcorn.core.recipe.engine import KINDS
from seedcorn.core.recipe.secrets import publishable
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.export.exports import Written

UNITS = {
    False: "counts the distinct 8-word shingles of a generation's accepted samples that occur "
    "nowhere before it, neither in the seed documents nor in older generations",
    True: "is the tokens of a generation's accepted samples that are new: of each sample's tokens "
    "the share of its 8-word shingles that occur nowhere before it, neither in the seed documents "
    "nor in other samples",
}
"""What *unique* means, by whether the ledger counts tokens."""
UNKNOWN = "not stated"


def ledger_note(in_tokens: bool) -> str:
    """What the card's figures are."""
    return (
        "Figures of the whole corpus, whatever part of it was exported, as `seedcorn ledger "
        f"--json` prints them. *unique* {UNITS[in_tokens]}; lowest and highest are its 95 % "
        "interval, equal to it where it was counted exactly. The unit *uat* is unique accepted "
        "tokens: no check verified them. *uvt* is unique verified tokens."
    )


def published_recipes(
    recipes: Sequence[tuple[int, dict[str, Any]]],
) -> list[tuple[list[int], dict[str, Any]]]:
    """Recipes as they may be published, equal ones of several generations together.

    Only what changes texts or verdicts: corpus, paths, stores, endpoints and machines stay out.
    """
    found: list[tuple[list[int], dict[str, Any]]] = []
    for number, stored in recipes:
        public = publishable(_used(document(recipe_from_dict(stored))))
        if found and found[-1][1] == public:
            found[-1][0].append(number)
        else:
            found.append(([number], public))
    return found


def _used(recipe: dict[str, Any]) -> dict[str, Any]:
    """Without sections that say nothing, and settings of engines that did not write."""
    engine = dict(recipe["engine"])
    for kind in {*KINDS} - {engine["kind"]}:
        engine.pop(kind, None)
    used = {**recipe, "engine": engine}
    return {
        key: value
        for key, value in used.items()
        if not isinstance(value, dict) or any(value.values())
    }


def order(manifest: Manifest) -> str:
    """How the rows are ordered."""
    if not manifest.options["shuffle"]:
        return (
            "Rows are in the order of the plan, which is not an order to train in: shuffle them "
            "first."
        )
    drawn = sum(1 for increment in manifest.increments if increment.shards)
    seed = manifest.options["seed"]
    if drawn <= 1:
        return f"Rows are shuffled as a whole with seed {seed}: read them in order."
    return (
        f"Rows came in {drawn} exports, each shuffled as a whole with seed {seed}; shuffle again "
        "to mix them, or export to a new place."
    )


def mixture(manifest: Manifest) -> str:
    """What the weights did."""
    weights = manifest.options["weights"]
    if not weights:
        return "Every sample occurs once."
    shown_weights = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    return (
        f"Mixture weights: {shown_weights}. Below 1, samples were drawn without replacement; above 1, they "
        "are repeated, and `copy` counts them from 0."
        if "copy" in manifest.columns
        else f"Mixture weights: {shown_weights}; samples were drawn without replacement."
    )


def left_out(manifest: Manifest, ledger: LedgerDocument) -> str:
    """Accepted samples that are not in it, and all that was never accepted."""
    out = manifest.left_out
    options = manifest.options
    names = [f"generation {number}" for number in options["generations"]] + options["strata"]
    because = f" (only {', '.join(names)} asked for)" if names else ""
    totals = {"duplicate": 0, "rejected": 0, "failed": 0}
    for row in ledger["generations"]:
        for outcome in totals:
            totals[outcome] += row["counts"][outcome]
    never = ", ".join(f"{count:,} {outcome}" for outcome, count in totals.items())
    return (
        f"{out.withdrawn:,} withdrawn, {out.filtered:,} by filters{because}, {out.not_drawn:,} not "
        f"drawn by mixture weights; never accepted: {never}"
    )


def model_licences(manifest: Manifest) -> list[tuple[str, str]]:
    """(model, licence) of every model that wrote a row; licences are what the user said."""
    stated: dict[str, str] = manifest.about.get("models", {})
    found = []
    for name in manifest.models:
        licence = stated.get(name) or stated.get(name.partition("@")[0])
        found.append((name, licence or UNKNOWN))
    return found


def limits(manifest: Manifest) -> list[str]:
    """What a user of the data should know before trusting it."""
    found = [
        "All texts were written by models. They may be wrong, biased or unsafe, and they may "
        "repeat what a model memorised; nothing but the recipe's checks was checked.",
        "Near duplicates are found by MinHash above the recipe's threshold, at its stated miss "
        "rate; shared sentences below it stay.",
        "Training on generated text alone can narrow what a model writes: mix it with real text.",
    ]
    if UNKNOWN in dict(model_licences(manifest)).values():
        found.append("The licence of at least one model is not stated here; ask its publisher.")
    if manifest.rewrites:
        found.append(
            f"Withdrawn samples were removed {counted(manifest.rewrites, 'time')} after they had "
            "been exported; older copies, and the history of a git repository, still contain them."
        )
    return found


def summary_lines(
    written: Written, manifest: Manifest, ledger: LedgerDocument, target: str
) -> list[str]:
    """What a run did, line by line."""
    added = written.added
    shards = len(added.shards) if added else 0
    rows = added.rows if added else 0
    found = [
        f"added {counted(rows, 'row')} in {counted(shards, 'shard')} to {target}, which now holds "
        f"{counted(manifest.rows, 'row')} of {counted(manifest.samples, 'sample')} in "
        f"{counted(len(manifest.shards), 'shard')}, {size(manifest.bytes)}"
    ]
    if written.reused:
        found.append(f"{counted(written.reused, 'shard')} from a run that died could be reused")
    if written.replaced:
        found.append(
            f"{counted(len(written.replaced), 'older shard')} with samples withdrawn since then: "
            "rewritten without them, the old ones deleted"
        )
    found.append(f"left out: {left_out(manifest, ledger)}")
    if not manifest.about.get("license"):
        found.append("the card says `license: other`; give --license NAME to say which")
    found += [
        f"licence of model {name} is not stated; give --model-license {name.partition('@')[0]}=NAME"
        for name, licence in model_licences(manifest)
        if licence == UNKNOWN
    ]
    return found


def leftover_lines(unnamed: Sequence[str], cleaned: bool) -> list[str]:
    """What is said of shards that no manifest names."""
    if not unnamed:
        return []
    if cleaned:
        return [f"deleted {counted(len(unnamed), 'shard')} left behind by runs that died"]
    return [
        f"{counted(len(unnamed), 'shard')} of runs that died, or of one still running, are in no "
        "manifest; --clean deletes them"
    ]
