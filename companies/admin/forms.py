"""What the pages of projects and grants ask for."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.models import User
from companies.access import Access
from companies.admin.scoped_forms import CompletedSelect, TakingForm, row_keys
from companies.fields import validate_plain_text
from companies.models import (
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
)


class DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


def day_field(
    label: str, *, required: bool = True, help_text: str = ""
) -> forms.DateField:
    """A day that can be reckoned with: the first and the last of all have no morrow."""
    within = [
        MinValueValidator(date(1900, 1, 1), "Enter a day after 1899."),
        MaxValueValidator(date(2999, 12, 31), "Enter a day before 3000."),
    ]
    return forms.DateField(
        label=label,
        required=required,
        widget=DayInput,
        validators=within,
        help_text=help_text,
    )


class ProjectField(forms.ModelChoiceField[Project]):
    """A project, found by a part of its name or number: there may be thousands."""

    def __init__(self, **options: Any) -> None:
        key = ProjectMembership._meta.get_field("project")
        super().__init__(
            queryset=Project.objects.none(),
            widget=CompletedSelect(key, admin.site),
            error_messages={"invalid_choice": "Choose another project."},
            **options,
        )

    def offer(self, projects: Any, *, as_list: bool) -> None:
        """Take only these projects.

        Args:
            as_list: where the search of the desk would find others than these.
        """
        if as_list:
            self.widget = forms.Select()
        self.queryset = projects


class ReasonForm(TakingForm):
    of_one = "Suspend this access?"
    of_many = "Suspend {} accesses?"
    reason = forms.CharField(
        max_length=200,
        validators=[validate_plain_text],
        help_text="The person reads it under ‘My access’, such as: insurance ended.",
    )


class LastDayForm(TakingForm):
    of_one = "Set a last day for this access?"
    of_many = "Set a last day for {} accesses?"
    last_day = day_field(
        "Last day", help_text="The day is included: they still get in on it."
    )


class DaysForm(forms.Form):
    """From when until when, either of them open."""

    starts_on = day_field("First day", required=False)
    ends_on = day_field("Last day", required=False)

    def clean(self) -> dict[str, Any]:
        first, last = self.days.values()
        if first and last and last < first:
            self.add_error("ends_on", "The last day can't be before the first.")
        return self.cleaned_data

    @property
    def days(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name) for name in ("starts_on", "ends_on")}


class MobiliseForm(DaysForm):
    """From which project the crew comes, and for which days."""

    note = (
        "Whoever is on the other project now or later is added to this one, with the "
        "same template. They stay on the other one, too; who is here already stays "
        "as they are."
    )
    source = ProjectField(label="Crew of the project")
    field_order = ["source", "starts_on", "ends_on"]

    def __init__(self, *args: Any, project: Project, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Project.objects.filter(company=project.company_id)
        source = cast(ProjectField, self.fields["source"])
        source.offer(others.exclude(pk=project.pk), as_list=by.is_superuser)


class CompletedMultiple(CompletedSelect, forms.SelectMultiple):
    """For several rows."""


class PeopleField(forms.ModelMultipleChoiceField[Membership]):
    """Several people, each found by a part of their name."""

    def __init__(self, **options: Any) -> None:
        key = ProjectMembership._meta.get_field("membership")
        super().__init__(
            queryset=Membership.objects.none(),
            widget=CompletedMultiple(key, admin.site),
            **options,
        )

    def label_from_instance(self, entry: Membership) -> str:
        return entry.label

    def clean(self, value: Any) -> Any:
        """What no database takes for a number is nobody's."""
        return super().clean(row_keys(value or []))


class PeopleForm(DaysForm):
    """Several people of the directory, what they are given, and for which days.

    Offered is what the giver may hand out on this project (T44).
    """

    people = PeopleField()
    template = forms.ModelChoiceField(
        label="Project template", queryset=PermissionTemplate.objects.none()
    )
    field_order = ["people", "template", "starts_on", "ends_on"]

    def __init__(
        self, *args: Any, project: Project, by: User, completes: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people, template = (cast(Any, self.fields[n]) for n in ("people", "template"))
        if not completes:
            people.widget = forms.SelectMultiple()
        entries = Membership.objects.filter(company=project.company_id)
        people.queryset = entries.select_related("user", "vendor")
        template.queryset = Access.of(by, project.company_id).offered_on(project)
