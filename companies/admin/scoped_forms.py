"""The forms of a company's rows: they take, and offer, rows of that company only."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.functional import cached_property

from accounts.models import User
from audit.admin import changed_columns
from companies.models import Company, OwnedByCompany


def row_keys(texts: Iterable[Any]) -> list[str]:
    """Those of the posted numbers that a database takes for the number of a row."""
    return [key for key in map(str, texts) if key.isdecimal() and len(key) < 19]


class CompletedSelect(AutocompleteSelect):
    """Django's field that completes, which also shows garbage as nothing chosen."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, row_keys(value), attrs)


class TakingForm(forms.Form):
    """Asks before something is taken away: by its colour, and by how many it is of."""

    takes_away = True
    of_one = of_many = ""  # what the title of its page asks

    def question(self, count: int) -> str:
        return self.of_one if count == 1 else self.of_many.format(count)


class CompanyForm(forms.ModelForm[Any]):
    """A form of a row that belongs to one company, and refers to its rows only (T39).

    A new row belongs to the company that the desk works for, or to that of the row that
    an inline hangs on. What else an address or a form may say of it is of no account.
    """

    company: Company | None = None

    def __init__(
        self, *args: Any, company: Company | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.company_id is None:
            self.instance.company = company or self.company
        for field in self.fields.values():
            rows = getattr(field, "queryset", None)
            if rows is not None and issubclass(rows.model, OwnedByCompany):
                field.queryset = rows.filter(company=self.instance.company_id)  # type: ignore[attr-defined]


class GivingForm(CompanyForm):
    """A form of a row that gives somebody a template: nobody gives above their own
    level, whatever the page offered (T44)."""

    by: User | None = None

    def _post_clean(self) -> None:
        """Ask once the row is made of what was entered, as Django's own forms do."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.check_giver(self.by)
        except ValidationError as error:
            self.add_error("template", error)


class CompanyInlineFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows of an inline belong to the company of the row that they hang on."""

    same_choices: frozenset[str] = frozenset()

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        return {**kwargs, "company": self.instance.company}

    def add_fields(self, form: Any, index: int | None) -> None:
        """Ask once what a field offers, not once for each row."""
        super().add_fields(form, index)
        for name in form.fields.keys() & self.same_choices:
            if name not in self.offered:
                # An iterator has no length, which would be counted by a query.
                self.offered[name] = list(iter(form.fields[name].choices))
            form.fields[name].choices = self.offered[name]

    @cached_property
    def offered(self) -> dict[str, list[Any]]:
        return {}

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        row = super().save_existing(form, obj, commit=False)
        if commit:
            row.save(update_fields=changed_columns(form))
        return row
