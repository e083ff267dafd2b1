"""Set up a server and Django as in production, then measure."""

import argparse
import os
import sys

import django

from bench.server import server

# Nothing is kept for debugging, pages come from cached templates, and no network is
# needed. What the person who calls this has set stays, but for these.
SETTINGS = {
    "DEBUG": "0",
    "SECRET_KEY": "benchmark",
    "BASE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "memorymail://",
}
WHAT = ["permissions", "desk"]
SCALES = {
    "full": {
        "users": 1_000_000,
        "projects": 100_000,
        "companies": 2_000,
        "grants": 5_000_000,
        "desk_people": 1_000_000,
        "desk_companies": 5_000,
        "desk_largest": 50_000,
    },
    "small": {
        "users": 20_000,
        "projects": 8_000,
        "companies": 100,
        "grants": 100_000,
        "desk_people": 20_000,
        "desk_companies": 100,
        "desk_largest": 5_000,
    },
}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=" or ".join(WHAT))
    parser.add_argument("--scale", choices=SCALES, default="full")
    for name in SCALES["full"]:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, metavar="N")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--output", default="docs/performance.md", metavar="FILE")
    desk = "docs/performance-desk.md"
    parser.add_argument("--desk-output", default=desk, metavar="FILE")
    options = parser.parse_args()
    options.what = options.what or WHAT
    if unknown := set(options.what) - set(WHAT):
        parser.error(f"{unknown.pop()!r} can't be measured: {' or '.join(WHAT)}.")
    for name, number in SCALES[options.scale].items():
        if getattr(options, name) is None:
            setattr(options, name, number)
    return options


def main() -> int:
    options = read_options()
    with server(os.environ.get("DATABASE_URL", "")) as url:
        os.environ |= SETTINGS | {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "procore_site.settings",
        }
        django.setup()
        from bench import desk, run  # the models are there only now

        runs = {"permissions": run.run, "desk": desk.run}
        return max(runs[what](options) for what in options.what)


sys.exit(main())
