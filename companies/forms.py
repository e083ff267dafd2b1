"""Choosing a company (S7)."""

from typing import Any

from django import forms

from companies.models import AnyUser, Company


class SelectCompanyForm(forms.Form):
    company = forms.ModelChoiceField(
        queryset=Company.objects.none(),
        to_field_name="slug",
        error_messages={"required": "Select a company to go on."},
    )

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["company"]
        field.queryset = Company.objects.visible_to(user)  # type: ignore[attr-defined]
