"""Long lists of a company's rows: a page at a time, found, counted and sorted once."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.http import HttpRequest
from django.utils.functional import cached_property

from companies.models import OwnedByCompany

# Of so many found rows the keys are read at once; more are counted by the database.
KEYS_KEPT = 5_000


class FoundPaginator(Paginator[Any]):
    """Reads the keys of what a search has found, and counts them.

    Else the database would search twice: for the number, and for the page. Of very much
    it does so even now.
    """

    @cached_property
    def keys(self) -> list[int] | None:
        """All that were found, in the order of the list; None of too many."""
        found = cast(models.QuerySet[Any], self.object_list)
        keys = list(found.values_list("pk", flat=True)[: KEYS_KEPT + 1])
        return keys if len(keys) <= KEYS_KEPT else None

    @cached_property
    def count(self) -> int:
        return super().count if self.keys is None else len(self.keys)


class PagedChangeList(ChangeList):
    """Finds the rows of a page first, and reads only then what the list shows of them.

    Else the database would make up what is shown for every row before the page.
    """

    def get_ordering(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> list[Any]:
        """By what was asked for; rows that are alike in it stand as they always do."""
        alike = queryset.order_by(*(self.lookup_opts.ordering or ()))
        return list(dict.fromkeys(super().get_ordering(request, alike)))

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> models.QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        self.order = found.query.order_by
        return sort_within_company(found)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        scoped = cast(Any, self.model_admin)
        rows = scoped.get_queryset(request).filter(pk__in=self.keys_of_page())
        shown = scoped.with_details(self.apply_select_related(rows))
        self.result_list = shown.order_by(*self.order)

    def keys_of_page(self) -> Any:
        found = getattr(self.paginator, "keys", None)
        if found is None:
            return self.result_list.values("pk")
        query = self.result_list.query  # cut to the page, and not asked yet
        return found[query.low_mark : query.high_mark]


def sort_within_company(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Sort by the same, and look for what a row names in the row's own company.

    It is nowhere else, but PostgreSQL would read the firms of all companies to sort the
    people of one by their firms.
    """
    if not issubclass(rows.model, OwnedByCompany):
        return rows
    named = {field.name: field.related_model for field in rows.model.references()}
    here = {
        f"{name}_here": FilteredRelation(
            name, condition=Q((f"{name}__company", F("company")))
        )
        for name in named
    }
    terms = [
        term
        for asked in rows.query.order_by
        for term in terms_within_company(asked, named)
    ]
    return cast(models.QuerySet[Any], rows.alias(**here).order_by(*terms))


def terms_within_company(asked: Any, named: dict[str, Any]) -> Iterator[Any]:
    """What to sort by, instead of a row that is named, or of a column of it."""
    name, _, column = str(asked).removeprefix("-").partition("__")
    if name not in named:
        yield asked
        return
    for part in [column] if column else named[name]._meta.ordering:
        is_down = str(asked).startswith("-") != part.startswith("-")
        yield f"{'-' * is_down}{name}_here__{part.removeprefix('-')}"
