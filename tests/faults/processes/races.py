"""Three drivers at once on one corpus: taking over at random, killed at random, again and again."""

import random
import threading
from collections import Counter
from functools import partial

from tests.faults.processes.moments import Moment
from tests.faults.processes.runs import Driver, Judge, Site, together

DRIVERS = 3
LIVES = 4
"""Drivers that one slot starts at most."""
QUICK = ("run.heartbeat_s=0.1", "run.lease_s=0.4")


def race(site: Site, steps: Counter[str], judge: Judge, label: str) -> Counter[str]:
    """One round; returns how its drivers ended. The corpus is complete afterwards, and judged."""
    lock, ended = threading.Lock(), list[Driver]()
    done = threading.Event()

    def slot(number: int) -> None:
        choose = random.Random(f"{label}-{number}")
        done.wait(choose.uniform(0, 0.3))
        for _ in range(LIVES):
            if done.is_set():
                return
            one = _started(site, steps, choose)
            code = one.wait()
            with lock:
                ended.append(one)
            if code == 0:
                done.set()
            done.wait(choose.uniform(0, 0.3))

    together([partial(slot, number) for number in range(DRIVERS)], DRIVERS)
    for one in ended:
        judge.ended(one, label)
    if done.is_set():
        judge.judge(site, label)
    else:
        judge.finish(site, label, overrides=QUICK)
    return Counter(_how(one) for one in ended)


def _started(site: Site, steps: Counter[str], choose: random.Random) -> Driver:
    moment = None
    if choose.random() < 0.5:
        step = choose.choice(sorted(steps))
        when = choose.choice(["before", "after"])
        moment = Moment(step, choose.randint(1, steps[step]), when)
    takeover = "true" if choose.random() < 0.3 else "false"
    return site.start(moment=moment, overrides=(*QUICK, f"takeover={takeover}"))


def _how(one: Driver) -> str:
    code = one.code
    if code == 0:
        return "complete"
    if code is not None and code < 0:
        return "killed"
    return one.last_words.split(": ")[1] if one.named else "unnamed"


def races(store, steps: Counter[str], judge: Judge, seed: int, rounds: int) -> Counter[str]:
    """So many rounds, two at a time; returns how all drivers ended."""
    ends, lock = Counter[str](), threading.Lock()

    def one(number: int) -> None:
        label = f"seed-{seed}-race-{number}"
        with store.corpus(label) as place:
            how = race(place.site, steps, judge, label)
        with lock:
            ends.update(how)
        judge.told(f"{judge.row.campaign}: {judge.row.runs} rounds, {dict(ends)}")

    together([partial(one, number) for number in range(rounds)], 2)
    return ends
