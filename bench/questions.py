"""May this person work on this project? Asked of ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from bench.figures import rate
from bench.plans import Query, watched
from bench.world import BIG, SPREAD, Size
from companies.models import Membership, Project

PERMISSION = "companies.standard_rfis"
PEOPLE = 200
LATER_CALLS = 200_000


@dataclass(frozen=True)
class Question:
    user: int
    project: Project


def draw(size: Size) -> list[Question]:
    """Ordinary people, half of them about a project of theirs, half about another."""
    people = size.ordinary[:: max(len(size.ordinary) // PEOPLE, 1)][:PEOPLE]
    entries = Membership.objects.filter(user__in=people).order_by("user")
    return [
        Question(entry.user_id or 0, pick(entry, is_theirs=bool(index % 2)))
        for index, entry in enumerate(entries)
    ]


def pick(entry: Membership, *, is_theirs: bool) -> Project:
    """A project of the person's company, that they are on or not."""
    theirs = entry.project_memberships.values("project")
    projects = Project.objects.filter(company=entry.company_id).order_by("pk")
    found = (
        projects.filter(pk__in=theirs) if is_theirs else projects.exclude(pk__in=theirs)
    )
    return found[0]


def about(user: int, times: int) -> list[Question]:
    """The same person, each time as in a new request, about a project of theirs."""
    projects = Project.objects.filter(project_memberships__membership__user=user)
    return [Question(user, project) for project in projects.order_by("pk")[:times]]


def big() -> list[Question]:
    """The person with 3,000 projects in one company."""
    return about(BIG, 20)


def big_projects() -> list[Project]:
    return list(Project.objects.filter(project_memberships__membership__user=BIG))


def spread() -> list[Question]:
    """The person with 150 projects in three companies."""
    return about(SPREAD, 50)


def load(questions: Sequence[Question]) -> list[tuple[User, Project]]:
    """A fresh user for each question, as in a request of its own."""
    return [(User.objects.get(pk=each.user), each.project) for each in questions]


def answers(questions: Sequence[Question]) -> list[bool]:
    return [user.has_perm(PERMISSION, project) for user, project in load(questions)]


def first(questions: Sequence[Question]) -> float:
    """The rate of a request's first question, which loads the person's grants."""
    pairs = load(questions)

    def work() -> None:
        for user, project in pairs:
            user.has_perm(PERMISSION, project)

    return rate(len(pairs), work)


def later(questions: Sequence[Question]) -> float:
    """The rate of a question in a request that has asked about the company before."""
    pairs = load(questions)
    repeats = LATER_CALLS // len(pairs)

    def work() -> None:
        for _ in range(repeats):
            for user, project in pairs:
                user.has_perm(PERMISSION, project)

    for user, project in pairs:
        user.has_perm(PERMISSION, project)
    return rate(repeats * len(pairs), work)


def further(question: Question, projects: Sequence[Project]) -> float:
    """The rate of questions about one project after the other, each for the first time,
    in a request that has asked about the company before."""
    [(user, project)] = load([question])
    user.has_perm(PERMISSION, project)

    def work() -> None:
        for each in projects:
            user.has_perm(PERMISSION, each)

    return rate(len(projects), work)


def queries_of_further(question: Question, projects: Sequence[Project]) -> int:
    """The queries of questions about all these, after one about their company."""
    [(user, project)] = load([question])
    user.has_perm(PERMISSION, project)
    with watched() as sent:
        for each in projects:
            user.has_perm(PERMISSION, each)
    return len(sent)


def queries_of_first(question: Question) -> list[Query]:
    [(user, project)] = load([question])
    with watched() as sent:
        user.has_perm(PERMISSION, project)
    return sent


def queries_of_later(questions: Sequence[Question]) -> int:
    """The queries of all questions together, each asked for the second time."""
    pairs = load(questions)
    for user, project in pairs:
        user.has_perm(PERMISSION, project)
    with watched() as sent:
        for user, project in pairs:
            user.has_perm(PERMISSION, project)
    return len(sent)
