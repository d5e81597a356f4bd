"""Texts from Debian packages, unpacked into this repository's cache: nothing is installed.

`apt-get download` needs package lists, not root. Where it cannot fetch, the bench names what it skips.
"""

import html
import os
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

CACHE = Path(__file__).parents[3] / ".cache" / "ledger-bench"
READER = ("diatheke", "libsword1.9.0", "libsword-common", "libclucene-core1v5")
BIBLES = {"KJV": ("sword-text-kjv", "engKJV2006eb"), "WEB": ("sword-text-web", "engWEB2015eb")}
HANDBOOK = "debian-handbook"
BOOKS = (
    "Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth I_Samuel II_Samuel I_Kings "
    "II_Kings I_Chronicles II_Chronicles Ezra Nehemiah Esther Job Psalms Proverbs Ecclesiastes "
    "Song_of_Solomon Isaiah Jeremiah Lamentations Ezekiel Daniel Hosea Joel Amos Obadiah Jonah Micah "
    "Nahum Habakkuk Zephaniah Haggai Zechariah Malachi Matthew Mark Luke John Acts Romans "
    "I_Corinthians II_Corinthians Galatians Ephesians Philippians Colossians I_Thessalonians "
    "II_Thessalonians I_Timothy II_Timothy Titus Philemon Hebrews James I_Peter II_Peter I_John "
    "II_John III_John Jude Revelation_of_John"
)
REPEATED = 5
"""A line that a book has so often is a heading that diatheke repeats before every verse."""

Verses = dict[tuple[str, int, int], str]
"""(book, chapter, verse) -> text, in order."""


class Missing(Exception):
    """A package that cannot be had, and why."""


def unpacked(package: str) -> Path:
    """The folder of the package's files; raises Missing, naming it, where it cannot be fetched."""
    folder = CACHE / package
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                ["apt-get", "download", package], cwd=CACHE, check=True, capture_output=True
            )
            found = sorted(CACHE.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg", "-x", str(found[-1]), str(folder)], check=True)
        except (OSError, subprocess.CalledProcessError, IndexError) as error:
            raise Missing(f"{package}: {_said(error)}") from error
    return folder


@cache
def bible(name: str) -> Verses:
    """A Bible, `KJV` or `WEB`."""
    package, module = BIBLES[name]
    text = unpacked(package)
    folders = [unpacked(one) for one in READER]
    libraries = [str(path.parent) for one in folders for path in one.glob("usr/lib/*/*.so*")]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(dict.fromkeys(libraries)),
        "SWORD_PATH": str(text / "usr" / "share" / "sword"),
    }
    command = [str(folders[0] / "usr/bin/diatheke"), "-b", module, "-f", "plain", "-k"]
    verses: Verses = {}
    for book in (part.replace("_", " ") for part in BOOKS.split()):
        read = subprocess.run(
            [*command, book], env=environment, check=True, capture_output=True, text=True
        )
        verses |= _verses(book, read.stdout)
    return verses


def handbook() -> list[str]:
    """The pages of the Debian handbook, English, as plain text."""
    pages = sorted(unpacked(HANDBOOK).glob("usr/share/doc/debian-handbook/html/en-US/*.html"))
    if not pages:
        raise Missing(f"{HANDBOOK}: no English pages in it")
    return [_plain(page.read_text(encoding="utf-8")) for page in pages]


def _verses(book: str, output: str) -> Verses:
    lines = [line.strip() for line in output.splitlines()]
    often = Counter(lines)
    start = re.compile(re.escape(book) + r" (\d+):(\d+): (.*)")
    found: Verses = {}
    key = None
    for line in lines:
        match = start.match(line)
        if match:
            key = (book, int(match[1]), int(match[2]))
            found[key] = match[3].strip()
        elif key and line and often[line] < REPEATED and not line.startswith("("):
            found[key] += f" {line}"
    return found


def _plain(page: str) -> str:
    """The paragraphs of a page, one a line."""
    body = re.sub(r"(?s)<(script|style|head|pre)\b.*?</\1>", " ", page)
    paragraphs = re.findall(r"(?s)<(?:p|div class=\"para\")[^>]*>(.*?)</(?:p|div)>", body)
    texts = [html.unescape(re.sub(r"(?s)<[^>]+>", "", one)) for one in paragraphs]
    return "\n".join(" ".join(text.split()) for text in texts if text.strip())


def _said(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return error.stderr.decode(errors="replace").strip().splitlines()[-1]
    return str(error)
