"""Writes, or checks, every generated file of `cluster/`: `python -m cluster.generate [--check]`."""

import argparse
import sys
from pathlib import Path

from cluster.generator.files import files
from cluster.generator.settings import SettingsError, load

HERE = Path(__file__).parent


def main(argv: list[str]) -> int:
    """0; 1 if `--check` finds a file that differs; 2 for settings that make no sense."""
    parser = argparse.ArgumentParser("python -m cluster.generate", description=__doc__)
    parser.add_argument("--settings", type=Path, default=HERE / "settings.yaml")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    asked = parser.parse_args(argv)
    try:
        made = files(load(asked.settings))
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stale = [name for name, text in made.items() if _read(asked.out / name) != text]
    if asked.check:
        sys.stdout.writelines(f"differs: {asked.out / name}\n" for name in stale)
        return int(bool(stale))
    for name in stale:
        target = asked.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(made[name], encoding="utf-8")
        sys.stdout.write(f"wrote {target}\n")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
