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
SCALES = {
    "full": {
        "users": 1_000_000,
        "projects": 100_000,
        "companies": 2_000,
        "grants": 5_000_000,
    },
    "small": {"users": 20_000, "projects": 8_000, "companies": 100, "grants": 100_000},
}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="full")
    for name in SCALES["full"]:
        parser.add_argument(f"--{name}", type=int, metavar="N")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--output", default="docs/performance.md", metavar="FILE")
    options = parser.parse_args()
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
        from bench.run import run  # the models are there only now

        return run(options)


sys.exit(main())
