"""What must not be stored or shown: secrets by name and form, and credentials in URLs.

The only place that knows. Recipes, logs and exports are read by others, and a job's command and
metadata by everyone who may list jobs; credentials come from the environment of the processes that
need them. `redacted` leaves nothing that `holds_secret` finds.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.limits import dotted_path, leaves

_SECRET_NAME = re.compile(
    r"secret|pass(?:w|phrase)|credential|(?:private|api|access|account|storage)[_-]?key|connection_?string"
    r"|webhook|authori[sz]ation|(?:^|[_-])(?:token|auth)$|(?-i:[a-z](?:Token|Auth)$)",
    re.I,
)
_NAMES_VARIABLE = "_env"
"""Ends keys whose value is the name of an environment variable, which holds the secret."""
_VARIABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?")
_SECRET_PARAMETER = re.compile(r"(?:^|[_-])(?:key|sig|signature)$", re.I)
"""Names that say so in a URL's query only."""
_HARMLESS = r"(?:abfss?|wasbs?|az)://[^/\s:@]+@|s3a?://arn:|[\w.+-]+://…@"
"""Azure alone writes `container@account` where other URLs have a user name; ARNs have colons."""
_PAIR = (
    r"(?:(?:(?<=s3://)|(?<=s3a://))[^/\s]*:"
    r"|(?:\[[^\]\s]*\])?+[^/\s]*:(?!\d{1,5}(?![\w%+=~-])))(?=\S)(?:\S*@|\S*)"
)
"""KEY:SECRET whose `@` lies behind a slash of the secret: buckets have no port, ports no letters."""
_LOGIN = re.compile(rf"(?<![\w.+-])(?!{_HARMLESS})([\w.+-]+://)(?:[^/\s]*@|{_PAIR})", re.I)
_URL_QUERY = re.compile(r"(://[^\s?]*)\?[^\s\"]*")
_QUERY = re.compile(r"(?<=\S)\?[^\s\"]*")
_PARAMETER = re.compile(r"[?&;]([^=&;#/?\s]+)=")
_KEY = re.compile(
    r"\b(?:A[KS]IA[0-9A-Z]{16}|sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_\w{30,}"
    r"|AIza[\w-]{30,}|xox[abprs]-[\w-]{20,})|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
"""Keys that well-known services hand out, by their form."""
SHORTEST = 8
"""Characters of a value that can be a secret: `1` or `none` would be found everywhere."""
HIDDEN = "(hidden)"
"""Stands for the value of a key whose name says that it is a secret."""


def names_secret(name: str) -> bool:
    """Whether a key or variable of that name holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not name.endswith(_NAMES_VARIABLE)


def holds_credentials(text: str) -> bool:
    """Whether a URL in the text has a user name or password before its host, or a signed query."""
    return bool(_LOGIN.search(text)) or any(_signed(query) for query in _QUERY.findall(text))


def holds_secret(text: str) -> bool:
    """Whether the text holds a URL with credentials or a well-known service's key."""
    return holds_credentials(text) or bool(_KEY.search(text))


def redacted(text: str) -> str:
    """The text without user names, passwords and queries of URLs, and well-known keys."""
    text = _URL_QUERY.sub(r"\1?…", _LOGIN.sub(_without_login, text))
    text = _QUERY.sub(lambda found: "?…" if _signed(found[0]) else found[0], text)
    return _KEY.sub("…", text)


def publishable(value: Any) -> Any:
    """A tree of plain values without those whose key or form says that they are secret."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if names_secret(str(key)) and item else publishable(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [publishable(item) for item in value]
    return redacted(value) if isinstance(value, str) and holds_secret(value) else value


def secret_names(names: Iterable[str]) -> list[str]:
    """Those environment variables whose name says that they hold a secret."""
    return sorted(filter(names_secret, names))


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


def refuse_secrets(overrides: Sequence[str]) -> None:
    """Raises RecipeError for `key=value` that would show a secret in a job's command; never prints
    it. The recipe itself is judged by `refuse_stored_secrets`."""
    for override in overrides:
        key, _, value = override.partition("=")
        if names_secret(key.rsplit(".", 1)[-1]) or holds_secret(value):
            raise RecipeError(
                f"{key}: looks like a secret, and everyone who may list jobs reads a job's command;"
                " set it in the environment of the cluster's nodes"
            )


def refuse_stored_secrets(settings: Any) -> None:
    """Raises RecipeError where settings hold a secret by name, credentials in a URL, or something
    else than the name of an environment variable where one is asked for; never prints it."""
    for path, value in leaves(settings):
        key, last, text = redacted(dotted_path(path)), str(path[-1]), str(value)
        if names_secret(last):
            found = "looks like a secret"
        elif last.endswith(_NAMES_VARIABLE) and text != last and not _VARIABLE.fullmatch(text):
            found = "needs the name of an environment variable, never what it holds"
        elif holds_credentials(text):
            found = "holds a user name, password or key"
        else:
            continue
        raise RecipeError(
            f"{key}: {found}; recipes are stored, so credentials come from the environment"
        )


def refuse_known_secrets(stored: Any, environment: Mapping[str, str]) -> None:
    """Raises RecipeError where a value about to be stored holds a key, or a secret of the
    environment; names the value's place and never prints it."""
    secrets = known_secrets(environment)
    for path, value in leaves(stored):
        if not isinstance(value, str):
            continue
        origin = next((f"the value of ${name}" for name, s in secrets.items() if s in value), "")
        if origin or _KEY.search(value):
            raise RecipeError(
                f"{redacted(dotted_path(path))}: holds {origin or 'what looks like a key'}; recipes "
                "are stored, so credentials come from the environment"
            )


def _signed(query: str) -> bool:
    names = _PARAMETER.findall(query)
    return any(_SECRET_NAME.search(name) or _SECRET_PARAMETER.search(name) for name in names)


def _without_login(found: re.Match[str]) -> str:
    return f"{found[1]}…{'@' if found[0].endswith('@') else ''}"
