"""Writing a page to a local file, whole or not at all."""

import os
from pathlib import Path

from seedcorn.core.errors import SeedcornError


def write_page(name: str, page: str) -> int:
    """Replace the file `name` by `page`, through a temporary file beside it; returns its bytes.

    Raises SeedcornError when it cannot be written; a file that was there is then untouched.
    """
    target, data = Path(name), page.encode()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            temporary.write_bytes(data)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SeedcornError(f"cannot write {name}: {error.strerror}; give another -o") from error
    return len(data)
