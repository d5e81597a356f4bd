"""Writes the Unicode table that text rule 2 is made of, from the Unicode Character Database.

    python -m tests.unicode_tables FOLDER > src/seedcorn/core/text/unicode-15.0.0.txt

FOLDER holds `UnicodeData.txt` and its neighbours of one version, as Debian's package `unicode-data`
ships them. The table is never made again for a rule that exists: a newer Unicode is a newer rule.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

HEADER = """\
# Derived from the Unicode Character Database {version} by tests/unicode_tables.py: a selection in
# another form. Copyright 1991-2022 Unicode, Inc.; see unicode-license.txt.
# [class] ranges: L letters, M marks, N other numbers, D decimal digits, S symbols (Sm Sc Sk So),
# I invisible format characters, W white space; all else is absent.
# [order] ranges: canonical combining class. [compose] and [decompose]: canonical mappings; only
# the former are undone by composition. [fold] full case folding. [width] wide and narrow forms."""
CLASSES = {"Sm": "S", "Sc": "S", "Sk": "S", "So": "S", "Nd": "D", "Nl": "N", "No": "N"}


def main(folder: Path) -> None:
    """Write the table to standard output."""
    data = list(_unicode_data(folder / "UnicodeData.txt"))
    folding = _lines(folder / "CaseFolding.txt")
    sys.stdout.write(
        HEADER.format(version=folder.joinpath("CaseFolding.txt").read_text()[14:20]) + "\n"
    )
    classes = _classes(folder, data)
    _ranges("class", classes)
    _ranges("order", {code: int(row[3]) for code, row in data if row[3] != "0"})
    excluded = _property(folder / "DerivedNormalizationProps.txt", "Full_Composition_Exclusion")
    pairs = {code: row[5] for code, row in data if row[5] and "<" not in row[5]}
    _mapped("compose", {code: to for code, to in pairs.items() if code not in excluded})
    _mapped("decompose", {code: to for code, to in pairs.items() if code in excluded})
    kinds = (line.rstrip(";").split("; ") for line in folding)
    _mapped("fold", {int(code, 16): to for code, kind, to, *_ in kinds if kind in "CF"})
    wide = {code: row[5].split("> ") for code, row in data if row[5][:5] in ("<wide", "<narr")}
    _mapped("width", {code: to for code, (_, to) in wide.items()})


def _classes(folder: Path, data: list[tuple[int, list[str]]]) -> dict[int, str]:
    found = {code: CLASSES.get(row[2], row[2][0]) for code, row in data}
    found = {code: name for code, name in found.items() if name in "LMNDS"}
    visible = _property(folder / "PropList.txt", "Prepended_Concatenation_Mark")
    ignorable = _property(folder / "DerivedCoreProperties.txt", "Default_Ignorable_Code_Point")
    format_ = {code for code, row in data if row[2] == "Cf"} - visible
    found |= dict.fromkeys(format_ | ignorable, "I")
    return found | dict.fromkeys(_property(folder / "PropList.txt", "White_Space"), "W")


def _unicode_data(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Every assigned code point with its row; ranges are written as their first and last one."""
    first = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        row = line.split(";")
        code = int(row[0], 16)
        if row[1].endswith("First>"):
            first = code
        elif row[1].endswith("Last>"):
            yield from ((inside, row) for inside in range(first, code + 1))
        else:
            yield code, row


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if content := line.partition("#")[0].strip():
            yield content


def _property(path: Path, name: str) -> set[int]:
    found: set[int] = set()
    for line in _lines(path):
        codes, _, wanted = (part.strip() for part in line.partition(";"))
        if wanted == name:
            first, _, last = codes.partition("..")
            found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def _ranges(title: str, values: Mapping[int, object]) -> None:
    sys.stdout.write(f"[{title}]" + "\n")
    listed = sorted(values)
    for first, last in _runs(listed, lambda code: values[code]):
        codes = f"{first:X} {last:X}" if last > first else f"{first:X}"
        sys.stdout.write(f"{codes} {values[first]}\n")


def _runs(codes: Iterable[int], value: Callable[[int], object]) -> Iterator[tuple[int, int]]:
    first = last = -2
    for code in codes:
        if code == last + 1 and value(code) == value(first):
            last = code
            continue
        if first >= 0:
            yield first, last
        first = last = code
    if first >= 0:
        yield first, last


def _mapped(title: str, values: Mapping[int, str]) -> None:
    sys.stdout.write(f"[{title}]" + "\n")
    for code, to in sorted(values.items()):
        sys.stdout.write(f"{code:X} {to}" + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
