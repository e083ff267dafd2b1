"""Load three worlds, ask and read in rounds, look at the plans, write the report."""

import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench import pages, questions, results
from bench.beside import GUARDIAN_ROWS, Guardian, orm, prepared
from bench.figures import typical
from bench.pages import REQUESTS, Browser
from bench.plans import Query, explain
from bench.profiles import profile
from bench.questions import Question
from bench.report import write
from bench.results import ALL, FEW_GRANTS, FEW_PEOPLE, Results
from bench.server import connect, drop, use
from bench.world import ADMINISTRATOR, BIG, SPREAD, Size, fill, found

# Whose browser reads which pages in the rounds.
READERS = {
    results.PAGE: (SPREAD, pages.SPREAD_PAGES),
    results.PAGE_BIG: (BIG, pages.BIG_PAGES),
    results.PAGE_ADMINISTRATOR: (ADMINISTRATOR, pages.BIG_PAGES),
    results.MINIMAL: (SPREAD, [pages.MINIMAL]),
}


def run(options: Namespace) -> int:
    """Measure all, write the report, and return 1 when a limit is missed."""
    with TemporaryDirectory() as folder:
        pages.prepare(f"{folder}/static")
        guardian = Guardian(f"{folder}/guardian")
        bench = Bench(Results(guardian=guardian.version), guardian)
        try:
            bench.load_worlds(options)
            bench.look()
            bench.measure(options.rounds)
            bench.profile()
        finally:
            for name in (FEW_PEOPLE, FEW_GRANTS, ALL):
                drop(name)
    write(Path(options.output), bench.results, options)
    missed = [limit for limit in bench.results.limits() if not limit.holds]
    for limit in missed:
        say(f"Missed: {limit.sentence}: {limit.seen}, asked for is {limit.asked}.")
    return 1 if missed else 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run: its worlds, and what it finds in them."""

    def __init__(self, results: Results, guardian: Guardian) -> None:
        self.results = results
        self.guardian = guardian
        self.drawn: dict[str, list[Question]] = {}
        self.browsers: dict[tuple[str, int], Browser] = {}

    def load_worlds(self, options: Namespace) -> None:
        whole = Size(options.users, options.projects, options.companies, options.grants)
        sizes = {FEW_PEOPLE: whole.by(1000), FEW_GRANTS: whole.by(25), ALL: whole}
        self.results.sizes = sizes
        for name, size in sizes.items():
            say(f"Loading {size} ...")
            started = perf_counter()
            found(name)
            if name == ALL:
                self.guardian.make_tables()
            fill(name, size, *([GUARDIAN_ROWS] if name == ALL else []))
            self.results.seconds[name] = perf_counter() - started
            self.enter(name, size)
        self.weigh()

    def weigh(self) -> None:
        """Note what the server says of itself and of the databases."""
        with connect(ALL) as plain:
            rows = plain.execute(
                "SELECT datname, pg_database_size(datname) / 2.0 ^ 30 FROM pg_database"
            )
            self.results.gigabytes = dict(rows.fetchall())
            row = plain.execute(
                """SELECT split_part(current_setting('server_version'), ' ', 1)
                    || ' (shared_buffers ' || current_setting('shared_buffers') || ')',
                    (SELECT count(*) FROM guardian_userobjectpermission)"""
            ).fetchone()
        self.results.postgresql, self.results.guardian_rows = row or ("?", 0)

    def enter(self, name: str, size: Size) -> None:
        """Draw the questions of a world, and log its readers in."""
        self.drawn[name] = questions.draw(size)
        for user in (SPREAD, BIG, ADMINISTRATOR):
            self.browsers[name, user] = Browser(user)

    def look(self) -> None:
        """Count the queries in each world, and explain those of the whole one."""
        for name in self.results.sizes:
            use(name)
            sent = self.queries(name)
            for what, queries in sent.items():
                self.results.queries[what, name] = len(queries)
            later = questions.queries_of_later(self.drawn[name])
            self.results.queries[results.LATER, name] = later
            further = questions.queries_of_further(
                questions.big()[0], questions.big_projects()
            )
            self.results.queries[results.FURTHER, name] = further
        for what, queries in sent.items():
            self.results.plans += explain(what, queries)
        self.compare_answers()

    def queries(self, name: str) -> dict[str, list[Query]]:
        firsts = {
            results.FIRST: self.drawn[name][0],
            results.FIRST_SPREAD: questions.spread()[0],
            results.FIRST_BIG: questions.big()[0],
        }
        sent = {
            what: questions.queries_of_first(question)
            for what, question in firsts.items()
        }
        for what, (user, paths) in READERS.items():
            sent[what] = self.browsers[name, user].queries(paths[0])
        return sent

    def compare_answers(self) -> None:
        """Ask guardian, and whether it says the same; in the world of all."""
        drawn = self.drawn[ALL]
        theirs = self.guardian.ask(drawn)
        self.results.queries[results.GUARDIAN, ALL] = theirs["queries"]
        pairs = zip(questions.answers(drawn), theirs["answers"], strict=True)
        self.results.differences = sum(ours != other for ours, other in pairs)

    def measure(self, rounds: int) -> None:
        """Take each figure once in each round, so that what disturbs disturbs all."""
        for number in range(1, rounds + 1):
            say(f"Round {number} of {rounds} ...")
            for name in self.results.sizes:
                use(name)
                if name != FEW_PEOPLE:
                    self.ask(name)
                if name == ALL:
                    self.ask_others()
                if name != FEW_GRANTS:
                    self.read(name)

    def ask(self, name: str) -> None:
        drawn, spread, big = self.drawn[name], questions.spread(), questions.big()
        projects = questions.big_projects()
        questions.first(drawn)  # warms up
        rates = {
            results.FIRST: typical(lambda: questions.first(drawn)),
            results.FIRST_SPREAD: typical(lambda: questions.first(spread)),
            results.FIRST_BIG: typical(lambda: questions.first(big)),
            results.FURTHER: typical(lambda: questions.further(big[0], projects)),
            results.LATER: questions.later(drawn),
        }
        for what, rate in rates.items():
            self.results.add(what, name, rate)

    def ask_others(self) -> None:
        drawn = self.drawn[ALL]
        theirs = self.guardian.ask(drawn)
        rates = {
            results.GUARDIAN: theirs["cold"],
            results.GUARDIAN_LATER: theirs["warm"],
            results.ORM: typical(lambda: orm(drawn)),
            results.PREPARED: typical(lambda: prepared(drawn)),
        }
        for what, rate in rates.items():
            self.results.add(what, ALL, rate)

    def read(self, name: str) -> None:
        for what, (user, paths) in READERS.items():
            self.results.add(what, name, self.browsers[name, user].rate(paths))

    def profile(self) -> None:
        """Compare where the time of the company page and of the minimal view goes."""
        for what in (results.PAGE, results.MINIMAL):
            user, paths = READERS[what]
            browser = self.browsers[ALL, user]
            work = partial(browser.get_all, paths, REQUESTS)
            self.results.profiles[what] = profile(REQUESTS, work)
