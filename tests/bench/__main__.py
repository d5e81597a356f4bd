"""Every benchmark of the project, side by side: `python -m tests.bench [a] [b] [c] [d]`.

Each figure stands beside its target, and is a median of interleaved runs. Ray and engines are
started outside of what is timed.
"""

import os
import sys
from collections.abc import Callable, Iterator

from tests.bench import fingerprints, index, index_ray, line

Report = Callable[[], Iterator[str]]


def tokens() -> Iterator[str]:
    """(a) `grow` against bare vLLM; imported late, because it needs the vLLM extra."""
    from tests.bench import engine

    yield from engine.report()


def prints() -> Iterator[str]:
    """(b) fingerprints against rensa and datasketch."""
    yield "(b) fingerprints, CPU time of one core     docs/s   x rensa   x datasketch"
    for row in fingerprints.run():
        targets = ""
        if row.target_rensa is not None:
            verdict = "met" if row.met else "MISSED"
            targets = f"   target {row.target_rensa:g} and {row.target_datasketch:g}: {verdict}"
        yield (
            f"    {row.name:34s}{row.documents_per_s:11,.0f}{row.over_rensa:10.1f}"
            f"{row.over_datasketch:15.1f}{targets}"
        )


def claims() -> Iterator[str]:
    """(c) the dedup index, in process and through Ray."""
    here = index.run()
    yield f"(c) dedup, batches of {index.BATCH}: lookup, resolve, insert"
    yield (
        f"    in process, {here.documents:,} documents: {here.per_second:11,.0f} documents/s of "
        f"CPU   target 100,000: {'met' if here.per_second >= 100_000 else 'MISSED'}"
    )
    with line.cluster():
        there = index_ray.run()
    yield (
        f"    through Ray,  {there.documents:,} documents: {there.per_second:11,.0f} documents/s, "
        f"wall   target {index_ray.TARGET:,.0f}: "
        f"{'met' if there.per_second >= index_ray.TARGET else 'MISSED'}"
    )


REPORTS: dict[str, Report] = {"a": tokens, "b": prints, "c": claims, "d": line.report}


def main() -> int:
    """Print the chosen reports, all by default; figures that miss a target fail nothing."""
    chosen = sys.argv[1:] or sorted(REPORTS)
    if unknown := set(chosen) - REPORTS.keys():
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}; there are a, b, c and d\n")
        return 2
    cores, load = os.cpu_count(), os.getloadavg()[0]
    sys.stdout.write(f"{cores} cores, load average {load:.1f} at the start\n")
    for name in chosen:
        for text in REPORTS[name]():
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
