"""The canonical document of a recipe: what its fingerprint is taken over, whatever the code becomes.

The document has the shape that recipes had in format 1, written down here and not derived from
today's classes: a class may be renamed, split or moved, and every recipe keeps its fingerprint,
hence its ids, seeds and plan. What format 1 knew always enters. A key that came later enters only
where it differs from its default, and that default never changes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, NamedTuple

from seedcorn.core.recipe.fields import is_operational

LONGEST_SHOWN = 60
"""Characters of a value that a message shows."""
Shape = Mapping[str, "Shape | None"]
"""Keys that always enter. None: the value itself; else a section, or a list of sections."""


def _keys(names: str, **sections: Shape) -> Shape:
    return dict.fromkeys(names.split()) | sections


_SOURCE = _keys("name format text id split max_chars")
_PROMPT = _keys("name template system weight parents axes continuation")
_SAMPLING = _keys(
    "max_tokens min_tokens temperature top_p top_k min_p repetition_penalty presence_penalty "
    "frequency_penalty stop"
)
_SIMULATED = _keys(
    "words vocabulary duplicate_rate near_duplicate_rate near_duplicate_edits seed_copy_rate "
    "rejection_rate failure_rate style template_rate template_instances template_slots "
    "paraphrase_rate paraphrase_swap salad_rate collapse_from collapse_stratum"
)
_ENGINE = _keys(
    "kind model chat_template_kwargs",
    sampling=_SAMPLING,
    vllm=_keys("dtype revision max_model_len quantization extra"),
    simulated=_SIMULATED,
    openai=_keys("send_seed"),
)
FORMAT_1: Shape = _keys(
    "name samples samples_per_prompt checks",
    seed=_SOURCE,
    parents=_keys("seed previous earlier order"),
    prompts=_PROMPT,
    engine=_ENGINE,
    dedup=_keys("threshold seed", against=_SOURCE, evaluations=_SOURCE),
    units={},
    ledger={},
    stop={"target": {}, "budget": {}},
    store={},
    run={},
)
"""Sections without keys were in the document of format 1 too, and stay."""


def document(spec: Any, shape: Shape = FORMAT_1) -> dict[str, Any]:
    """The canonical document of a recipe, or of a section of it that has this `shape`: plain JSON
    values, nested under the paths of format 1."""
    known = {name: _plain(getattr(spec, name), below) for name, below in shape.items()}
    return known | dict(_later(spec, shape))


def _later(spec: Any, shape: Shape) -> Iterator[tuple[str, Any]]:
    for item in fields(spec):
        if item.name in shape or is_operational(item):
            continue
        value = getattr(spec, item.name)
        if value != _default(item):
            yield item.name, _plain(value, {})


def _plain(value: Any, shape: Shape | None) -> Any:
    if is_dataclass(value):
        return document(value, shape or {})
    if isinstance(value, list):
        return [_plain(item, shape) for item in value]
    return value


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


class Difference(NamedTuple):
    """A dotted key whose values differ between two documents; None: it does not stand there."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.old)} → {_shown(self.new)}"


def differences(
    stored: Mapping[str, Any], current: Mapping[str, Any], at: str = ""
) -> list[Difference]:
    """What differs between two documents, for an error that names it."""
    found: list[Difference] = []
    for key in sorted(stored.keys() | current.keys()):
        old, new = stored.get(key), current.get(key)
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            old, new = ({str(n): item for n, item in enumerate(side)} for side in (old, new))
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{at}{key}.")
        elif old != new:
            found.append(Difference(at + key, old, new))
    return found


def _shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = "the default" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
