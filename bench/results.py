"""What a run has found, and whether it is what was asked for."""

from dataclasses import dataclass, field
from os import getloadavg

from bench.figures import Figure, Limit, at_least, at_most, no_more_than
from bench.plans import Plan, no_big_scans
from bench.profiles import Profile
from bench.world import Size

# The worlds, each a database of this name.
FEW_PEOPLE, FEW_GRANTS, ALL = "bench_few_people", "bench_few_grants", "bench_all"

# What is measured.
FIRST = "First question of a request, ordinary person"
FIRST_SPREAD = "First question, person with 150 projects in 3 companies"
FIRST_BIG = "First question, person with 3,000 projects in one company"
LATER = "Later question of a request, asked before"
FURTHER = "Later question of a request, about one of 3,000 projects after the other"
GUARDIAN = "django-guardian, `has_perm`"
GUARDIAN_LATER = "django-guardian, `ObjectPermissionChecker` that is kept (warm)"
ORM = "One ORM `.exists()` on a unique index"
PREPARED = "psycopg with a prepared statement (the limit of asking)"
PAGE = "Company page, person with 150 projects in 3 companies"
PAGE_BIG = "Company page, person with 3,000 projects"
PAGE_ADMINISTRATOR = "Company page, administrator of 3,000 projects"
MINIMAL = "Minimal view: same middleware, one indexed query, no template"
QUESTIONS = [
    FIRST,
    FIRST_SPREAD,
    FIRST_BIG,
    GUARDIAN,
    FURTHER,
    LATER,
    GUARDIAN_LATER,
    ORM,
    PREPARED,
]
PAGES = [PAGE, PAGE_BIG, PAGE_ADMINISTRATOR, MINIMAL]

# Of these the report holds the whole plans; of the others what they took.
EXPLAINED = [FIRST, FIRST_BIG, PAGE]

GATE = 3  # queries before each page: session, user, terms


@dataclass
class Results:
    guardian: str  # its version
    postgresql: str = ""  # its version and memory
    sizes: dict[str, Size] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # of loading
    gigabytes: dict[str, float] = field(default_factory=dict)
    guardian_rows: int = 0
    rates: dict[tuple[str, str], Figure] = field(default_factory=dict)
    queries: dict[tuple[str, str], float] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    differences: int = 0  # questions to which guardian gives another answer
    load: float = field(default_factory=lambda: getloadavg()[0])

    def add(self, what: str, world: str, rate: float) -> None:
        self.rates.setdefault((what, world), Figure([])).rounds.append(rate)

    def ratio(self, one: tuple[str, str], other: tuple[str, str]) -> Figure:
        return self.rates[one].over(self.rates[other])

    def most_queries(self, *of: str) -> float:
        """The highest number of queries of these, in any world."""
        return max(count for (what, _), count in self.queries.items() if what in of)

    def limits(self) -> list[Limit]:
        return [
            *self.limits_of_questions(),
            *self.limits_of_pages(),
            no_big_scans(self.plans),
        ]

    def limits_of_questions(self) -> list[Limit]:
        first, later = (FIRST, ALL), (LATER, ALL)
        return [
            no_more_than(
                "Queries of the first question of a request",
                self.most_queries(FIRST, FIRST_SPREAD, FIRST_BIG),
                2,
            ),
            no_more_than(
                "Queries of a later question", self.most_queries(LATER, FURTHER), 0
            ),
            at_least(
                "First question, against guardian's `has_perm`",
                self.ratio(first, (GUARDIAN, ALL)),
                1,
            ),
            at_least(
                "Later question, against guardian's kept checker",
                self.ratio(later, (GUARDIAN_LATER, ALL)),
                10,
            ),
            at_least(
                "Later question, each about another project, against the same",
                self.ratio((FURTHER, ALL), (GUARDIAN_LATER, ALL)),
                10,
            ),
            at_most(
                "First question, time with all grants against few",
                self.ratio((FIRST, FEW_GRANTS), first),
                1.2,
            ),
            at_most(
                "Later question, time with all grants against few",
                self.ratio((LATER, FEW_GRANTS), later),
                1.2,
            ),
            no_more_than("Answers that differ from guardian's", self.differences, 0),
        ]

    def limits_of_pages(self) -> list[Limit]:
        return [
            no_more_than(
                "Queries of the company page, after session, user and terms",
                self.most_queries(PAGE, PAGE_BIG, PAGE_ADMINISTRATOR) - GATE,
                4,
            ),
            at_least(
                "Company page, requests per second with all people against few",
                self.ratio((PAGE, ALL), (PAGE, FEW_PEOPLE)),
                0.8,
            ),
        ]
