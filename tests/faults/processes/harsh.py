"""What a machine may do to a driver: a full disk, no descriptors left, clocks that jump, a long pause."""

import contextlib
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seedcorn.core.errors import CorpusBusy
from tests.faults.processes.moments import Moment
from tests.faults.processes.runs import STARTS, Judge, Site

STEP_KIB = 96
"""A full disk is made larger by so much, again and again."""
SOON = ("run.heartbeat_s=0.1", "run.lease_s=0.5")


@contextlib.contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[bool]:
    """A file system of this size at `folder`; False where none can be mounted here."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = _mount(f"size={kib}k", folder)
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(options: str, folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def full_disk(folder: Path, judge: Judge, seed: int, rounds: int) -> str:
    """Grow on a disk that is full again and again; returns how it was made full.

    Temporary files are on the same disk.
    """
    way = ""
    for number in range(rounds):
        label = f"seed {seed}: disk full, round {number}"
        kib = random.Random(label).randint(16, STEP_KIB)
        disk = folder / f"disk-{number}"
        with small_disk(disk, kib) as mounted:
            way = "tmpfs" if mounted else "RLIMIT_FSIZE"
            site = Site(folder / f"full-{number}", str(disk / "corpus"))
            for _ in range(STARTS):
                environment = {"TMPDIR": str(disk)}
                limit = 0 if mounted else kib << 7
                one = site.start(environment=environment, largest_file=limit)
                one.wait()
                judge.ended(one, label)
                if one.code == 0:
                    break
                kib += STEP_KIB
                _mount(f"remount,size={kib}k", disk)
            judge.judge(site, label)
        judge.told(f"{judge.row.campaign}: {judge.row.runs} corpora")
    return way


def starved(folder: Path, steps: Counter[str], judge: Judge, seed: int, rounds: int) -> None:
    """From some moment on, no file or socket can be opened; the next driver has enough again."""
    for number in range(rounds):
        label = f"seed {seed}: no descriptors, round {number}"
        moment = _some(steps, random.Random(label))
        site = Site(folder / f"starved-{number}", str(folder / f"starved-{number}" / "corpus"))
        one = site.start(moment=moment, act="starve")
        one.wait()
        label = f"{label}: {moment}"
        judge.ended(one, label)
        judge.finish(site, label)
        judge.told(f"{judge.row.campaign}: {judge.row.runs} corpora")


def clock_jumps(folder: Path, steps: Counter[str], judge: Judge, seed: int, rounds: int) -> None:
    """Wall clocks jump by up to an hour, another one in every driver, and drivers are killed."""
    for number in range(rounds):
        label = f"seed {seed}: clock jumps, round {number}"
        choose = random.Random(label)
        site = Site(folder / f"jumps-{number}", str(folder / f"jumps-{number}" / "corpus"))
        for _ in range(2):
            one = site.start(moment=_some(steps, choose), clock_seed=choose.getrandbits(32))
            one.wait()
            judge.ended(one, label)
        judge.finish(site, label, clock_seed=choose.getrandbits(32))
        judge.told(f"{judge.row.campaign}: {judge.row.runs} corpora")


def zombies(store, steps: Counter[str], judge: Judge, seed: int, rounds: int) -> int:
    """A driver sleeps longer than its lease at some step; another one takes over, and it wakes.

    Before an S3 server, the request on which it fell asleep arrives when it wakes. Returns how many
    sleepers were fenced by name; the others found nothing left to write.
    """
    fenced = 0
    for number in range(rounds):
        label = f"seed {seed}: zombie, round {number}"
        choose = random.Random(label)
        moment = _some(steps, choose)
        label = f"{label}: {moment}"
        with store.corpus(f"zombie-{seed}-{number}") as place:
            sleeper = place.start_sleeper(moment)
            if sleeper.falls_asleep():
                _succeed(place.site, judge, label, _some(steps, choose))
            place.wake(sleeper)
            sleeper.wait()
            judge.ended(sleeper, label)
            fenced += "Fenced" in sleeper.last_words
            place.settle()
            judge.finish(place.site, label)
        judge.told(f"{judge.row.campaign}: {judge.row.runs} corpora, {fenced} fenced")
    return fenced


def _succeed(site: Site, judge: Judge, label: str, moment: Moment) -> None:
    """Another driver, which dies at some moment of its own or completes the corpus."""
    one = site.start(moment=moment, overrides=SOON)
    one.wait()
    judge.ended(one, label)
    if one.code == CorpusBusy.exit_code:
        judge.wrong(label, f"a driver that sleeps was taken for alive: {one.last_words}")


def _some(steps: Counter[str], choose: random.Random) -> Moment:
    step = choose.choice(sorted(steps))
    return Moment(step, choose.randint(1, steps[step]), choose.choice(["before", "after"]))
