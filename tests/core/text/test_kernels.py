"""The fingerprint kernels run beside an event loop: no GIL, any number of threads."""

import sys
import threading

import pytest
from numba.core.registry import CPUDispatcher

from seedcorn.core.text import (
    buffers,
    composition,
    fingerprint,
    hashing,
    minhash,
    rule_1,
    rule_2,
    shingles,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import (
    fingerprint_texts,
    fingerprint_words,
    read_words,
    shingles_of,
)
from seedcorn.core.text.words import TextRule

WORDS = [f"word{i}" for i in range(400)]
MODULES = (buffers, composition, fingerprint, hashing, minhash, rule_1, rule_2, shingles)


def runs_beside_another_thread(work, attempts):
    """Whether a waiting thread gets to run before `work` returns for the last time.

    No thread is made to yield the GIL (switch interval), so it runs only if `work` releases it.
    """
    started, seen, outcome = threading.Event(), threading.Event(), []

    def loop():
        started.set()
        for _ in range(attempts):
            work()
            if seen.is_set():
                break
        outcome.append(seen.is_set())

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=loop)
    sys.setswitchinterval(1000)
    try:
        thread.start()
        started.wait()
        seen.set()
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    return outcome[0]


@pytest.mark.parametrize("rule", TextRule)
def test_kernels_release_the_gil_while_they_run(rule):
    packed = pack([" ".join(f"{word}\u0301" for word in WORDS).encode() * 100])
    document = read_words(*packed, rule)
    assert not runs_beside_another_thread(lambda: sum(range(20_000)), 20)
    assert runs_beside_another_thread(lambda: fingerprint_words(document), 500)
    assert runs_beside_another_thread(lambda: shingles_of(document, 8), 500)
    if rule != TextRule.ONE:  # Marks are put together in Python there.
        assert runs_beside_another_thread(lambda: read_words(*packed, rule), 500)


def test_kernels_every_one_is_compiled_without_the_gil():
    kernels = [
        item
        for module in MODULES
        for item in vars(module).values()
        if isinstance(item, CPUDispatcher)
    ]
    assert len(kernels) > 30
    assert all(kernel.targetoptions.get("nogil") for kernel in kernels)


@pytest.mark.parametrize("rule", TextRule)
def test_fingerprint_several_threads_at_once_agree(rule):
    texts = [f"“{word}” said the {word} to cafe\u0301 number {i}" for i, word in enumerate(WORDS)]
    expected = fingerprint_texts(texts, rule).keys
    results = [None] * 4

    def work(i):
        results[i] = fingerprint_texts(texts, rule).keys

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((result == expected).all() for result in results)
