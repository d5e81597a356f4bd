"""`seedcorn compare CORPUS_A CORPUS_B`: what each holds that is unique, and who adds more."""

import argparse

from seedcorn.commands.arguments import positive_count


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    for name in ("a", "b"):
        parser.add_argument(
            f"corpus_{name}",
            metavar=f"CORPUS_{name.upper()}",
            help="a folder or a URI such as s3://bucket/prefix",
        )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="store.key=value",
        help="how to reach both stores, such as store.endpoint=http://127.0.0.1:8333",
    )
    parser.add_argument(
        "--fingerprints",
        type=positive_count,
        metavar="N",
        help="hashes kept per shingle length and corpus before the sample rate is halved (default "
        "10,000,000, about 5 GB in all at most)",
    )
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Read both corpora's sketches, once each, and print the comparison."""
    import json

    from seedcorn.commands.compare.table import document, print_comparison
    from seedcorn.commands.corpus import store_spec
    from seedcorn.commands.views.output import console, say
    from seedcorn.commands.views.progress import counting
    from seedcorn.core.measure.comparison import compare
    from seedcorn.core.recipe import LedgerSpec
    from seedcorn.storage.measure.comparison import holdings, outline, require_one_rule
    from seedcorn.storage.stores.opening import open_store

    spec = store_spec(arguments.overrides)
    a, b = (outline(open_store(uri, spec)) for uri in (arguments.corpus_a, arguments.corpus_b))
    require_one_rule(a, b)
    fingerprints = arguments.fingerprints or LedgerSpec().fingerprints
    seeds = sum(len(seed.objects) for corpus in (a, b) for seed in corpus.seeds)
    with counting("sketches read", a.sketches + b.sketches + seeds) as advance:
        pair = (holdings(a, b, fingerprints, advance), holdings(b, a, fingerprints, advance))
    found = compare(*pair)
    if arguments.json:
        say(json.dumps(document(found, a, b), indent=2, ensure_ascii=False))
        return 0
    print_comparison(console(), found, a, b)
    return 0
