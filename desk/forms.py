"""What an administrator's actions ask for before they are done."""

from typing import Any, cast

from django import forms
from django.conf import settings

from accounts.models import User
from companies.access import Access
from companies.admin.forms import DaysForm, ProjectField
from companies.admin.scoped_forms import TakingForm
from companies.models import Company, Membership, PermissionTemplate, Project
from companies.tools import Scope
from desk.status import Status
from invitations.models.sending import DAYS_AT_MOST

# From so many people on is asked before mails go out, or links die.
ASKED_FROM = 10


class AddToProjectForm(DaysForm):
    """One project for many people, with one template for all or each one's own.

    Offered is what the giver may hand out, and where (T44). Whoever may give only on
    some projects chooses from a list of those.
    """

    project = ProjectField()
    template = forms.ModelChoiceField(
        queryset=PermissionTemplate.objects.none(),
        required=False,
        empty_label="Each person’s default project template",
    )
    field_order = ["project", "template", "starts_on", "ends_on"]

    def __init__(self, *args: Any, company: Company, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        access = Access.of(by, company.pk)
        projects = Project.objects.filter(company=company)
        templates = PermissionTemplate.objects.filter(
            company=company, scope=Scope.PROJECT
        )
        cast(ProjectField, self.fields["project"]).offer(
            access.given_on(projects),
            as_list=access.is_operator or not access.is_administrator,
        )
        cast(Any, self.fields["template"]).queryset = access.offered(templates)

    def pairs(
        self, entries: list[Membership]
    ) -> tuple[list[tuple[Membership, Project, PermissionTemplate]], list[Membership]]:
        """Who gets which template; and who has none to get."""
        project = self.cleaned_data["project"]
        given = self.cleaned_data["template"]
        pairs = [
            (entry, project, template)
            for entry in entries
            if (template := given or entry.default_project_template)
        ]
        placed = {entry for entry, _, _ in pairs}
        return pairs, [entry for entry in entries if entry not in placed]


class ManyForm(forms.Form):
    """Asks to confirm what reaches many people; a few were chosen one by one.

    Args:
        counts: how many of the chosen people have which status.
    """

    note = ""

    def __init__(self, *args: Any, counts: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_needed(self) -> bool:
        return self.total >= ASKED_FROM

    @property
    def standings(self) -> list[tuple[str, int]]:
        """What the page shows of the counts, in the order of the filter."""
        return [(str(s.label), self.counts[s]) for s in Status if s in self.counts]


class InviteForm(ManyForm):
    """Leaves out who has said no, or was told so, unless one asks for them.

    A single person was chosen on purpose.
    """

    note = (
        "Each gets a mail with a link of their own. People who have "
        "joined, or whose invitation still works, get none."
    )
    again = forms.BooleanField(
        label="Also those who declined or whose invitation was revoked", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.has_ended:
            del self.fields["again"]

    @property
    def has_ended(self) -> bool:
        return bool(self.counts.keys() & {Status.DECLINED, Status.REVOKED})

    @property
    def is_needed(self) -> bool:
        return super().is_needed or (self.has_ended and self.total > 1)

    @property
    def reaches_all(self) -> bool:
        return self.total == 1 or bool(self.cleaned_data.get("again"))


class SendAgainForm(ManyForm):
    note = "Each gets a mail with a new link; the links of older mails no longer work."


class RevokeForm(ManyForm, TakingForm):
    of_one = "Revoke this invitation?"
    of_many = "Revoke the invitations of {} people?"
    note = (
        "The links of their mails no longer work. To let somebody in after all, invite "
        "them again."
    )


class RemindForm(forms.Form):
    days = forms.IntegerField(
        label="Invited at least this many days ago",
        initial=3,
        min_value=0,
        max_value=DAYS_AT_MOST,
        help_text="Sends the same link again; it expires when it did before.",
    )


class ExtendForm(forms.Form):
    days = forms.IntegerField(
        label="Days from now",
        initial=lambda: settings.INVITATION_DAYS,
        min_value=1,
        max_value=DAYS_AT_MOST,
        help_text="Links already sent work until then; none is shortened.",
    )


class ChangeTemplateForm(forms.Form):
    template = forms.ModelChoiceField(
        label="Company template", queryset=PermissionTemplate.objects.none()
    )

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(Any, self.fields["template"])
        field.queryset = PermissionTemplate.objects.filter(
            company=company, scope=Scope.COMPANY
        )


class DeactivateForm(TakingForm):
    """Asks for nothing but to be confirmed."""

    of_one = "Deactivate this person?"
    of_many = "Deactivate {} people?"
    note = (
        "They reach nothing of the company from then on, and their open invitations "
        "are revoked. What they were given on projects stays as it is."
    )


class ReactivateForm(forms.Form):
    projects = forms.ChoiceField(
        choices=[
            ("kept", "On the projects that they had"),
            ("ended", "On no project: what they had ended yesterday"),
        ]
    )


class ExplainForm(forms.Form):
    project = ProjectField(required=False)

    def __init__(self, *args: Any, company: Company, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.filter(company=company)
        field = cast(ProjectField, self.fields["project"])
        field.offer(projects, as_list=by.is_superuser)
