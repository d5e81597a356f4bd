"""`seedcorn audit CORPUS`: how much of what is unique is also right, judged on a fair draw of it.

Draw, judge, log: a file goes out with one line per document, and comes back with verdicts.
"""

import argparse
from typing import TYPE_CHECKING, Any

from seedcorn.commands.arguments import add_corpus, count, positive_count
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from seedcorn.commands.withdraw import FoldedCorpus
    from seedcorn.core.measure.audits import AuditDraw, Precision, Question
    from seedcorn.storage.stores.store import Store

DRAWN = 400
"""Fingerprints of one audit: a precision of .95 then has an interval of .92 to .97."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument(
        "-n",
        type=positive_count,
        metavar="N",
        help=f"unique fingerprints to draw (default {DRAWN})",
    )
    parser.add_argument(
        "-g",
        "--generation",
        type=count,
        metavar="G",
        help="only this generation (default: the last)",
    )
    parser.add_argument("--stratum", default="", metavar="S", help="only this stratum")
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write the drawn samples to")
    parser.add_argument(
        "--verdicts", metavar="FILE", help="log the verdicts filled in in this file"
    )
    parser.add_argument(
        "--partial", action="store_true", help="use the verdicts before the first missing one"
    )
    parser.add_argument(
        "--checker",
        metavar="COMMAND",
        help="let a trusted program judge: it reads one line from stdin and exits with 0 for "
        "right or 1 for wrong; anything else, including a Python traceback, is an error",
    )
    parser.add_argument("--json", action="store_true", help="what was drawn or logged, as JSON")
    parser.add_argument(
        "--takeover", action="store_true", help="fence a writer that seems to be alive"
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw questions, have them judged, or log verdicts."""
    from seedcorn.commands.corpus import open_corpus

    _refuse_conflicting_options(arguments)
    store = open_corpus(arguments)
    if arguments.verdicts:
        return _log_verdicts(arguments, store, arguments.verdicts)
    return _draw(arguments, store)


def _refuse_conflicting_options(arguments: argparse.Namespace) -> None:
    """Two ways of asking at once; one of them would be ignored."""
    from seedcorn.core.measure.audits import AuditError

    drawing = ("n", "generation", "stratum", "output", "checker")
    given = [name for name in drawing if getattr(arguments, name) not in (None, "")]
    if arguments.verdicts and given:
        raise AuditError(f"--verdicts reads an audit back; leave out {', '.join(given)}")
    if not arguments.verdicts and not arguments.output:
        raise AuditError("give -o FILE to draw an audit, or --verdicts FILE to log its verdicts")
    if arguments.partial and not arguments.verdicts:
        raise AuditError("--partial goes with --verdicts")


def _draw(arguments: argparse.Namespace, store: "Store") -> int:
    from pathlib import Path

    from seedcorn.core.measure.audits import AuditError, line
    from seedcorn.storage.measure.audits import Asked, new_draw

    path = Path(arguments.output)
    if path.exists():
        raise AuditError(f"{path} exists and may hold verdicts; give -o another name")
    asked = Asked(arguments.generation, arguments.stratum, arguments.n or DRAWN)
    draw, questions = new_draw(store, asked)
    if arguments.checker:
        _judge(arguments.checker, draw, questions, path)
        return _log_verdicts(arguments, store, str(path))
    _write(path, [line(draw, question) for question in questions])
    _print_draw(arguments, draw, questions)
    return 0


def _judge(command: str, draw: "AuditDraw", questions: "list[Question]", path: Any) -> None:
    """Have a program judge every question; its verdicts are written once all of them are there."""
    from seedcorn.commands.audit.checker import Checker
    from seedcorn.commands.views.progress import counting
    from seedcorn.core.measure.audits import line

    checker, lines = Checker(command), []
    with counting("judged", len(questions)) as advance:
        for question in questions:
            verdict = checker(question.id, line(draw, question))
            lines.append(line(draw, question, verdict, command))
            advance(1)
    _write(path, lines)


def _write(path: Any, lines: list[str]) -> None:
    from seedcorn.core.measure.audits import AuditError

    try:
        path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    except OSError as error:
        raise AuditError(f"{path} cannot be written: {error.strerror}") from error


def _log_verdicts(arguments: argparse.Namespace, store: "Store", path: str) -> int:
    """Check a file of verdicts against the draw it answers, become the writer, append one entry."""
    from seedcorn.commands.withdraw import FoldedCorpus
    from seedcorn.core.identity import sha256_hex
    from seedcorn.core.log.entries import Measurement
    from seedcorn.core.log.state import AUDIT
    from seedcorn.core.measure.audits import check_answers, measured, parse, precision
    from seedcorn.core.recipe import RunSpec
    from seedcorn.storage.log.log import LogReader
    from seedcorn.storage.log.writing import writing
    from seedcorn.storage.measure.audits import drawn_again

    data = _read(path)
    draw, answers = parse(data, path)
    questions = drawn_again(store, draw, path)
    check_answers(questions, answers, path)
    verdicts = {answer.id: answer.verdict for answer in answers if answer.verdict is not None}
    found = precision(questions, verdicts, arguments.partial)
    auditor = " and ".join(sorted({answer.auditor for answer in answers}))
    subject = {"generation": draw.generation, "stratum": draw.stratum}
    values = measured(draw, found, auditor, sha256_hex(data))
    corpus, reader = FoldedCorpus(store), LogReader(store)
    for entry in reader:
        corpus.fold(entry)
    with writing(store, reader.head, corpus.fold, RunSpec(), arguments.takeover) as log:
        _refuse_withdrawn(store, corpus, questions, path)
        log.append(Measurement(AUDIT, subject, {**values}))
    _print_precision(arguments, draw, found, {**subject, **values})
    return 0


def _refuse_withdrawn(
    store: "Store", corpus: "FoldedCorpus", questions: "list[Question]", path: str
) -> None:
    """Once more as the writer: somebody may have withdrawn samples in between."""
    from seedcorn.storage.log.withdrawals import withdrawn_ids
    from seedcorn.storage.measure.audits import refuse_withdrawn

    refuse_withdrawn(questions, withdrawn_ids(store, corpus.state), path)


def _read(path: str) -> bytes:
    from pathlib import Path

    from seedcorn.core.measure.audits import AuditError

    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise AuditError(f"{path} cannot be read: {error.strerror}") from error


def _print_draw(
    arguments: argparse.Namespace, draw: "AuditDraw", questions: "list[Question]"
) -> None:
    import json

    from seedcorn.commands.views.output import say

    drawn = sum(len(question.ranks) for question in questions)
    summary = {
        "generation": draw.generation,
        "stratum": draw.stratum,
        "drawn": drawn,
        "documents": len(questions),
        "file": arguments.output,
    }
    if arguments.json:
        say(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    whole = f", stratum {draw.stratum}" if draw.stratum else ""
    say(
        f"drew {drawn:,} unique fingerprints from generation {draw.generation}{whole}, which first "
        f"occur in {counted(len(questions), 'sample')}"
    )
    if drawn < draw.fingerprints:
        say(f"{draw.fingerprints:,} were requested; there are no more")
    say(f"set each `verdict` in {arguments.output} to true or false, then:")
    say(f"seedcorn audit {arguments.corpus} --verdicts {arguments.output}")


def _print_precision(
    arguments: argparse.Namespace, draw: "AuditDraw", found: "Precision", values: dict[str, Any]
) -> None:
    import json

    from seedcorn.commands.audit.table import precision_table
    from seedcorn.commands.views.output import console, say

    if arguments.json:
        say(json.dumps(values, indent=2, ensure_ascii=False))
        return
    screen = console()
    screen.print(precision_table(draw, found, values["auditor"]))
    screen.print()
    screen.print(
        "precision: share of the unique fingerprints whose first sample is right, with its 95 % "
        "interval; a sample counts once for each drawn fingerprint that it brought",
        soft_wrap=True,
    )
