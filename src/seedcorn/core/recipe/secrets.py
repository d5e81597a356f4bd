"""What must not be shown: secrets by name, and user names, passwords and signatures in URLs.

A job's command and metadata are read by everyone who may list jobs; credentials come from the
environment of the processes that need them, never from there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.limits import dotted_path, leaves

_SECRET_NAME = re.compile(
    r"secret|passw(or)?d|credential|private_?key|api_?key|access_?key|webhook|(^|[_-])(token|auth)$",
    re.I,
)
_USERINFO = re.compile(r"(?<![\w.+-])(?!abfss?:|wasbs?:)([a-z0-9+.-]+://)[^/\s]*@", re.I)
"""Azure alone writes `container@account` where other URLs have a user name."""
_PAIR = re.compile(r"(?<![\w.+-])s3a?://(?!arn:)[^/\s]*:", re.I)
"""KEY:SECRET that a slash in the secret hides from the pattern above; buckets have no colon."""
_QUERY = re.compile(r"(://[^\s?]*)\?\S*")
_KEY = re.compile(
    r"\b(?:A[KS]IA[0-9A-Z]{16}|sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_\w{30,}"
    r"|AIza[\w-]{30,}|xox[abprs]-[\w-]{20,})|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
"""Keys that well-known services hand out, by their form."""
SHORTEST = 8
"""Characters of a value that can be a secret: `1` or `none` would be found everywhere."""


def refuse_secrets(overrides: Sequence[str]) -> None:
    """Raises RecipeError for `key=value` that would show a secret in a job's command; never prints
    it. The recipe itself is judged by core/validation."""
    for override in overrides:
        key, _, value = override.partition("=")
        last = key.rsplit(".", 1)[-1]
        if (_SECRET_NAME.search(last) and not last.endswith("_env")) or has_credentials(value):
            raise RecipeError(
                f"{key}: looks like a secret, and everyone who may list jobs reads a job's command;"
                " set it in the environment of the cluster's nodes"
            )


def secret_names(names: Iterable[str]) -> list[str]:
    """Those environment variables whose name says that they hold a secret."""
    return sorted(name for name in names if _SECRET_NAME.search(name))


def redacted(text: str) -> str:
    """The text without user names, passwords and signed queries of URLs, and well-known keys."""
    return _KEY.sub("…", _QUERY.sub(r"\1?…", _USERINFO.sub(r"\1…@", text)))


def known_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets of an environment by name, those that contain others first."""
    found = {name: environment[name] for name in secret_names(environment)}
    long = [(name, value) for name, value in found.items() if len(value.strip()) >= SHORTEST]
    return dict(sorted(long, key=lambda item: -len(item[1])))


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """`redacted`, and every secret of the environment replaced by its variable's name."""
    for name, secret in known_secrets(environment).items():
        text = text.replace(secret, f"${name}")
    return redacted(text)


def refuse_known_secrets(stored: Any, environment: Mapping[str, str]) -> None:
    """Raises RecipeError where a value about to be stored holds a key, or a secret of the
    environment; names the value's place and never prints it."""
    secrets = known_secrets(environment)
    for path, value in leaves(stored):
        if not isinstance(value, str):
            continue
        held = next((f"the value of ${name}" for name, s in secrets.items() if s in value), "")
        if held or _KEY.search(value):
            raise RecipeError(
                f"{redacted(dotted_path(path))}: holds {held or 'what looks like a key'}; recipes "
                "are stored, so credentials come from the environment"
            )


def has_credentials(value: str) -> bool:
    """Whether a text has a URL with a user name or password before the host."""
    return bool(_USERINFO.search(value) or _PAIR.search(value))
