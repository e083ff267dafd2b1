"""Write what was found, in plain words and tables, as docs/performance.md."""

import os
import platform
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import strftime

import django

from bench.plans import Plan
from bench.profiles import Profile
from bench.results import (
    ALL,
    EXPLAINED,
    FEW_GRANTS,
    FEW_PEOPLE,
    GATE,
    GUARDIAN,
    MINIMAL,
    PAGE,
    PAGES,
    QUESTIONS,
    Results,
)

WORLDS = {FEW_PEOPLE: "few people", FEW_GRANTS: "few grants", ALL: "all"}


def write(path: Path, results: Results, options: Namespace) -> None:
    parts = [
        head(results, options),
        limits(results),
        worlds(results),
        questions(results),
        pages(results),
        profiles(results.profiles[PAGE], results.profiles[MINIMAL]),
        plans(results),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def head(results: Results, options: Namespace) -> str:
    given = vars(options)
    names = ("users", "projects", "companies", "grants", "rounds")
    command = " ".join(
        ["./dev bench permissions", *(f"--{name} {given[name]}" for name in names)]
    )
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"""# How fast it is

Written by `./dev bench` on {strftime("%-d %B %Y")}; don't edit it. To repeat:

```sh
{command}
```

It makes databases of its own on the server that `DATABASE_URL` names, or else on a
private PostgreSQL server, and removes them. django-guardian is installed into a folder
that goes away too. Without options it loads the full size.

- Python {platform.python_version()}, Django {django.__version__}, \
PostgreSQL {results.postgresql}, django-guardian {results.guardian}
- {platform.system()} on {platform.machine()}, {os.cpu_count()} cores, \
{gigabytes:.0f} GiB of memory, load at the start {results.load:.1f}; client and server
  share the cores

Every figure is the median of {options.rounds} rounds, with the lowest and the highest
behind it. Each round takes every figure once, so that what disturbs a round disturbs
all; a ratio is formed within each round."""


def limits(results: Results) -> str:
    rows = [
        [limit.sentence, limit.asked, limit.seen, "yes" if limit.holds else "**no**"]
        for limit in results.limits()
    ]
    return "## What was asked for\n\n" + table(
        ["what", "asked for", "seen", "holds"], rows
    )


def worlds(results: Results) -> str:
    rows = [
        [
            WORLDS[name],
            *(f"{number:,}" for number in vars(size).values()),
            f"{results.seconds[name]:.0f} s",
            f"{results.gigabytes[name]:.2f} GiB",
        ]
        for name, size in results.sizes.items()
    ]
    columns = ["world", "users", "projects", "companies", "grants", "loaded in", "size"]
    return f"""## The worlds

{table(columns, rows)}

A user has one entry in a directory and about five grants, but for the person with 150
projects in 3 companies, the one with 3,000 projects in one company, and an
administrator in each company. Everybody has agreed to the terms and visited a project;
a tenth is logged in. All indexes, references and checks are there. 'All' holds
guardian's tables as well, with {results.guardian_rows:,} rows: one for each grant that
holds today and gives Standard on RFIs, indexed as guardian does."""


def questions(results: Results) -> str:
    return f"""## Questions

'May she do Standard things with the RFIs of this project?', asked of 200 ordinary
people, half of them about a project of theirs, half about another of their company.
Every first question has a fresh user object, as each request has. A round's figure is
the median of five passes over all people, but for the later questions.

{rates(results, QUESTIONS, GUARDIAN, "guardian")}"""


def pages(results: Results) -> str:
    return f"""## Pages

Whole requests through the WSGI application with its middleware, in one process and
without a network. Session, user and terms are {GATE} of the queries.

{rates(results, PAGES, MINIMAL, "minimal view")}"""


def rates(results: Results, whats: list[str], base: str, name: str) -> str:
    """A table of rates, beside that of the base in the same world."""
    rows = [
        rate(results, (what, world), base)
        for what in whats
        for world in WORLDS
        if (what, world) in results.rates
    ]
    return table(["what", "world", "per second", "time", "queries", f"× {name}"], rows)


def rate(results: Results, key: tuple[str, str], base: str) -> list[str]:
    what, world = key
    figure, queries = results.rates[key], results.queries.get(key)
    ratio = results.ratio(key, (base, world)) if (base, world) in results.rates else ""
    return [
        what,
        WORLDS[world],
        f"{figure:,.0f}",
        duration(1 / figure.median),
        "" if queries is None else f"{queries:g}",
        f"{ratio:,.2f}" if ratio else "",
    ]


def duration(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds > 1e-4 else f"{seconds * 1e6:.2f} µs"


def profiles(page: Profile, minimal: Profile) -> str:
    names = sorted(page.parts, key=lambda part: -page.parts[part])
    rows = [(part, page.parts[part], minimal.parts.get(part, 0)) for part in names]
    rows.append(("Together", page.total, minimal.total))
    parts = [[part, *map(milliseconds, (a, b, a - b))] for part, a, b in rows]
    longest = [
        [f"`{name}`", f"{calls:.1f}", milliseconds(took)]
        for name, calls, took in page.longest
    ]
    return f"""## Why the page takes longer than the minimal view

Where the time of a request goes, by a profiler, which itself makes Python's part slower
(the rates above are without it). Each part's own time, in milliseconds:

{table(["part", "company page", "minimal view", "difference"], parts)}

The functions of the company page that take the most, with what they call:

{table(["function", "calls", "milliseconds"], longest)}"""


def milliseconds(number: float) -> str:
    return f"{number:.2f}"


def plan_table(plans: Iterable[Plan]) -> str:
    """What each query took, and which big table it read from end to end."""
    rows = [
        [
            plan.what,
            plan.number,
            plan.read("Execution Time: "),
            plan.read("shared hit="),
            ", ".join(plan.big_scans) or "none",
        ]
        for plan in plans
    ]
    columns = ["what", "query", "milliseconds", "pages of 8 KiB", "sequential scans"]
    return f"""## Query plans

By `EXPLAIN (ANALYZE, BUFFERS)`, with everything loaded. A sequential scan counts where
the table has over 10,000 rows.

{table(columns, rows)}"""


def plans(results: Results) -> str:
    texts = [
        f"### {plan.what}, query {plan.number}\n\n```text\n{'\n'.join(plan.lines)}\n```"
        for plan in results.plans
        if plan.what in EXPLAINED
    ]
    return "\n\n".join([plan_table(results.plans), *texts])
