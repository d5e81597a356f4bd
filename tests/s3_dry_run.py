"""The dry run on S3: `python -m tests.s3_dry_run [key=value ...]`.

Starts SeaweedFS on loopback, then drives the command line a user would type: `grow` with the
dry-run recipe onto s3://, `verify`, `ledger`. Only the endpoint is in the recipe; credentials come
from the environment. Everything is thrown away at the end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.seaweedfs import SeaweedServer, seaweedfs

REPOSITORY = Path(__file__).parents[1]
RECIPE = "pipelines/dry_run.yaml"


def main() -> int:
    """Grow, verify, show; the exit code of the first command that fails."""
    with (
        tempfile.TemporaryDirectory(prefix="seedcorn-s3-") as folder,
        seaweedfs(Path(folder)) as server,
    ):
        corpus = f"s3://{server.bucket}/dry_run"
        endpoint = f"store.endpoint={server.endpoint}"
        say(f"object store: SeaweedFS at {server.endpoint}, its data in {folder}")
        commands = (
            ("grow", RECIPE, f"corpus={corpus}", endpoint, *sys.argv[1:]),
            ("verify", corpus, endpoint),
            ("ledger", corpus, endpoint),
            ("files", corpus, endpoint),
        )
        for command in commands:
            code = seedcorn(server, *command)
            if code:
                return code
        say(f"corpus {corpus} grew, verified and was read back over S3")
        say("the object store and all that was in it are gone now")
    return 0


def seedcorn(server: SeaweedServer, *arguments: str) -> int:
    """One command of the real command line, with the store's credentials in its environment."""
    say(f"$ seedcorn {' '.join(arguments)}")
    loopback = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return subprocess.run(
        [sys.executable, "-m", "seedcorn.cli", *arguments],
        cwd=REPOSITORY,
        env=os.environ | server.environment() | loopback,
        check=False,
    ).returncode


def say(line: str) -> None:
    """A line before the output of the next command."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
