"""What a remote error means: no such object, refused, or unknown.

Only definite answers become StoreError or ObjectMissing. Everything that may pass, or that may
hide a write that succeeded, becomes Unanswered. Messages never carry credentials.
"""

import os
from typing import Any

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.core.recipe.secrets import without_secrets
from seedcorn.storage.stores.patience import Unanswered

REMOTE_ERRORS = (OSError, EOFError, BotoCoreError, ClientError, HttpError)
"""What fsspec filesystems, botocore and aiohttp raise for a request that failed."""
_NO_ACCESS = (PermissionError, NoCredentialsError, PartialCredentialsError, ProfileNotFound)
_NO_OBJECT = {"NoSuchKey", "NoSuchVersion", "404"}
_MAY_PASS_STATUS = {408, 409, 412, 425, 429}
"""Besides 5xx: time-out, conflict, condition not met, too early, too many requests."""
_MAY_PASS_CODE = {
    "BadDigest",
    "IncompleteBody",
    "RequestTimeout",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}
"""Errors of the transfer that S3 reports with status 400."""


def store_error(error: BaseException, what: str) -> StoreError:
    """The error to raise for `error`; `what` names store, operation and key."""
    code, status = _response(error)
    if code == "NoSuchBucket":
        return StoreError(f"{what}: the bucket does not exist; create it, or correct the URI")
    if isinstance(error, FileNotFoundError) or code in _NO_OBJECT:
        return ObjectMissing(f"{what}: no such object")
    reason = f"{code or type(error).__name__}: {without_secrets(str(error), os.environ)}"
    if isinstance(error, _NO_ACCESS):
        return StoreError(
            f"{what}: access refused ({reason}); check the credentials in the environment, "
            "their rights on this bucket, and the clock"
        )
    if isinstance(error, ParamValidationError) or _is_definite(code, status):
        return StoreError(f"{what}: the store refused ({reason})")
    return Unanswered(f"{what}: no definite answer ({reason})")


def _is_definite(code: str, status: int | None) -> bool:
    """Whether a repetition of the same request would be refused again."""
    if status is None or status >= 500:
        return False
    return status not in _MAY_PASS_STATUS and code not in _MAY_PASS_CODE


def _response(error: BaseException) -> tuple[str, int | None]:
    """(error code, HTTP status) of the botocore response behind an error, if there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ClientError):
            response: dict[str, Any] = dict(cause.response)
            code = str(response.get("Error", {}).get("Code", ""))
            return code, response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        cause = cause.__cause__
    return "", None
