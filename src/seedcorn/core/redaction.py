"""What must not be shown: secrets by name, and user names, passwords and signatures in URLs.

A job's command and metadata are read by everyone who may list jobs; credentials come from the
environment of the processes that need them, never from there.
"""

import re
from collections.abc import Iterable, Sequence

from seedcorn.core.errors import RecipeError

_SECRET_NAME = re.compile(
    r"secret|passw(or)?d|credential|private_?key|api_?key|access_?key|(^|[_-])(token|auth)$", re.I
)
_USERINFO = re.compile(r"(?<![\w.+-])(?!abfss?:|wasbs?:)([a-z0-9+.-]+://)[^/\s]*@", re.I)
"""Azure alone writes `container@account` where other URLs have a user name."""
_PAIR = re.compile(r"(?<![\w.+-])s3a?://(?!arn:)[^/\s]*:", re.I)
"""KEY:SECRET that a slash in the secret hides from the pattern above; buckets have no colon."""
_QUERY = re.compile(r"(://[^\s?]*)\?\S*")


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
    """The text without user names, passwords and signed queries of URLs."""
    return _QUERY.sub(r"\1?…", _USERINFO.sub(r"\1…@", text))


def has_credentials(value: str) -> bool:
    """Whether a text has a URL with a user name or password before the host."""
    return bool(_USERINFO.search(value) or _PAIR.search(value))
