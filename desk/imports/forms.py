"""What is asked when a list of people is uploaded."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from companies.access import Access
from companies.models import Company, PermissionTemplate
from companies.tools import Scope
from desk.models import Import
from desk.spreadsheets import MAX_BYTES, check_file
from invitations.models import Terms
from invitations.refusals import refusal


class UploadForm(forms.ModelForm[Import]):
    """The file, and how to read it; offered is what its reader may give (T44)."""

    file = forms.FileField(
        label="CSV or XLSX file",
        help_text="At most 10 MiB and 20,000 rows. Only the e-mail address of each "
        "person is required.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    field_order = ["file"]

    class Meta:
        model = Import
        fields = [
            "date_order",
            "project_template",
            "is_all_or_nothing",
            "has_invitations",
        ]

    def __init__(self, *args: Any, company: Company, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.company = company
        self.instance.company = company
        templates = PermissionTemplate.objects.filter(
            company=company, scope=Scope.PROJECT, project=None
        )
        field = cast(Any, self.fields["project_template"])
        field.queryset = Access.of(by, company.pk).offered(templates)
        field.empty_label = "None: refuse those rows"

    def clean_file(self) -> Any:
        """Look at its size and kind; what is in its rows is told afterwards."""
        file = self.cleaned_data["file"]
        # One byte more than is taken is enough to know.
        self.content = file.read(MAX_BYTES + 1)
        check_file(self.content)
        return file

    def clean_has_invitations(self) -> bool:
        invites = bool(self.cleaned_data["has_invitations"])
        if invites and not Terms.objects.exists():
            raise refusal("no_terms")
        return invites

    @property
    def choices(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or []}


class SheetForm(forms.Form):
    """Which of several sheets holds the people."""

    sheet = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, source: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(Any, self.fields["sheet"])
        field.choices = [(sheet, sheet) for sheet in source.sheets]


def chosen_sheet(source: Import, data: Any) -> str:
    """The sheet that was chosen in the form.

    Raises:
        ValidationError: when none was.
    """
    form = SheetForm(data, source=source)
    if not form.is_valid():
        raise ValidationError("Choose one of the sheets.", code="sheet")
    return str(form.cleaned_data["sheet"])
