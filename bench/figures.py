"""Figures of several rounds, their ratios, and the limits that they have to keep."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection


def rate(calls: int, work: Callable[[], object]) -> float:
    """How many calls a second, when the work does so many."""
    started = perf_counter()
    work()
    return calls / (perf_counter() - started)


def typical(measure: Callable[[], float], passes: int = 5) -> float:
    """The median of several passes, where one is so short that anything disturbs it."""
    return median(measure() for _ in range(passes))


def timed(work: Callable[[], object]) -> tuple[float, float, int]:
    """How long it took, how long of that in the database, and how many queries."""
    spans: list[float] = []

    def clock(execute: Any, *given: Any) -> Any:
        started = perf_counter()
        try:
            return execute(*given)
        finally:
            spans.append(perf_counter() - started)

    started = perf_counter()
    with connection.execute_wrapper(clock):
        work()
    return perf_counter() - started, sum(spans), len(spans)


@dataclass
class Figure:
    """A rate or a ratio, found once in each round."""

    rounds: list[float]

    @property
    def median(self) -> float:
        return median(self.rounds)

    def over(self, other: "Figure") -> "Figure":
        """The ratio, taken within each round: what slows a round slows both."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return Figure([mine / theirs for mine, theirs in pairs])

    def __format__(self, pattern: str) -> str:
        low, high = min(self.rounds), max(self.rounds)
        return f"{self.median:{pattern}} ({low:{pattern}}–{high:{pattern}})"


@dataclass(frozen=True)
class Limit:
    """What was asked for, what was seen, and whether that is enough."""

    sentence: str
    seen: str
    asked: str
    holds: bool


def at_least(sentence: str, ratio: Figure, least: float) -> Limit:
    return Limit(sentence, f"{ratio:.2f}", f"≥ {least}", ratio.median >= least)


def at_most(sentence: str, ratio: Figure, most: float) -> Limit:
    return Limit(sentence, f"{ratio:.2f}", f"≤ {most}", ratio.median <= most)


def no_more_than(sentence: str, count: float, most: int) -> Limit:
    return Limit(sentence, f"{count:g}", f"≤ {most}", count <= most)
