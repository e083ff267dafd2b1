"""What lists can be narrowed to: rows of the company, and no more than one reads."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from companies.admin.scoped_forms import row_keys
from companies.desk import desk_company
from companies.models import OwnedByCompany

# So many are listed to choose from; of more one types a part of the name.
LISTED = 100

type Choices = list[tuple[str, str]]


def few(model: type[OwnedByCompany], request: HttpRequest) -> list[Any] | None:
    """The company's rows, unless they are too many to be listed; asked once a request.

    None of all companies: there would be too many, some of one name.
    """
    kept: dict[Any, list[Any] | None] = request.__dict__.setdefault("_few", {})
    if model not in kept:
        rows = model._default_manager.filter(company=desk_company(request))
        some = list(rows[: LISTED + 1])
        kept[model] = some if len(some) <= LISTED else None
    return kept[model]


def listed(
    model: type[OwnedByCompany], request: HttpRequest, chosen: object
) -> Choices:
    """The company's rows to choose from; of too many only the one that is chosen."""
    rows = few(model, request)
    if rows is None:
        return only(model, request, chosen)
    return [(str(row.pk), str(row)) for row in rows]


def only(model: type[OwnedByCompany], request: HttpRequest, chosen: object) -> Choices:
    """The one of the company's rows that is chosen."""
    ours = model._default_manager.filter(company=desk_company(request))
    return [(str(row.pk), str(row)) for row in ours.filter(pk__in=row_keys([chosen]))]


class CompanyRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that lists only those of the company.

    Of all companies there would be too many, some of one name: then there is none.
    """

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        rows = field.related_model._default_manager.filter(
            company=desk_company(request)
        ).complex_filter(field.get_limit_choices_to())
        return [(row.pk, str(row)) for row in rows]

    def has_output(self) -> bool:
        """Also where it offers nothing: Django drops what its address asks for."""
        return bool(self.used_parameters) or super().has_output()

    @property
    def chosen(self) -> str:
        return str(list(self.lookup_val or [""])[-1])


class ListedFilter(CompanyRelatedFilter):
    """The same by what a company may have thousands of: see `listed`."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        return listed(field.related_model, request, self.chosen)


class ChosenFilter(CompanyRelatedFilter):
    """Tells whose rows an address asks for, and offers no other's."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        return only(field.related_model, request, self.chosen)
