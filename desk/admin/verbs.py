"""What is done with the people of the directory: one, or ten thousand at once.

Each action says what it did, and of whom it did not, why. What it writes is written by
one verb of a model; mails leave after the answer, and a page shows how they arrive.
"""

from collections.abc import Iterable
from functools import partial
from itertools import batched
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import User
from accounts.requests import UserRequest
from companies.admin import EVERYWHERE, CompanyScopedAdmin
from companies.desk import desk_company
from companies.models import Company, Membership, ProjectMembership
from companies.models.standing import Outcome
from desk.admin.progress import on_their_way
from desk.exports import PEOPLE, csv_response, people
from desk.forms import (
    AddToProjectForm,
    ChangeTemplateForm,
    DeactivateForm,
    ExtendForm,
    InviteForm,
    ManyForm,
    ReactivateForm,
    RemindForm,
    RevokeForm,
    SendAgainForm,
)
from desk.status import NOT_IN_YET, Status, count_by_status, in_status, of_waiting
from invitations.models import Invitation
from invitations.models.sending import AT_ONCE, Sending
from invitations.refusals import sentence

FIRST_PASSWORDS_AT_ONCE = 50

# Who is left out of an invitation, and why: always; and unless one asks for them.
INVITED: dict[str, str] = {
    Status.INVITED: "Invited already: use ‘Send the invitation again’.",
}
ENDED: dict[str, str] = {
    Status.DECLINED: "Declined, and left out: tick the box to invite again.",
    Status.REVOKED: "Revoked, and left out: tick the box to invite again.",
}
NO_TEMPLATE = "No default project template: choose one for all."
NOT_INVITED = sentence("not_invited")
NOTHING_TO_REVOKE = "No open invitation."

# The list of actions is long: a reader looks under what it is about.
GROUPS = {
    "Invitation": [
        *("invite", "send_again", "remind", "extend", "revoke", "first_password")
    ],
    "Access": ["add_to_project", "change_template", "deactivate", "reactivate"],
    "List": ["export"],
}

type Refused = Iterable[tuple[Membership, str]]


class DirectoryVerbs(CompanyScopedAdmin):
    actions = [name for names in GROUPS.values() for name in names]

    def get_action_choices(
        self,
        request: HttpRequest,
        default_choices: Any = None,
        action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST,
    ) -> list[Any]:
        """The choices under their headings; what somebody may not do isn't there."""
        choices: list[Any] = super().get_action_choices(
            request, default_choices, action_location
        )
        labels = dict(choices)
        grouped = [
            (group, [(name, labels.pop(name)) for name in names if name in labels])
            for group, names in GROUPS.items()
        ]
        return [*labels.items(), *((group, some) for group, some in grouped if some)]

    def company_of(self, request: HttpRequest, entries: Any) -> Company:
        """The desk's company; for an operator of all, that of the first entry."""
        return desk_company(request) or entries.select_related("company")[0].company

    def ask_of_many(
        self,
        request: HttpRequest,
        entries: Any,
        form_class: type[ManyForm],
        action: str,
        title: str,
    ) -> tuple[forms.Form | None, HttpResponseBase | None]:
        """Ask where it is needed; else give the form as if it had been sent empty."""
        counts = count_by_status(entries, timezone.now())
        form = form_class({}, counts=counts)
        is_told = "apply" in request.POST or form.is_needed
        if not is_told and form.is_valid():
            return form, None
        ask = partial(form_class, counts=counts)
        return self.ask(request, entries, ask, action, title)

    # Inviting

    @admin.action(description="Invite", permissions=["invite"], location=EVERYWHERE)
    def invite(self, request: UserRequest, queryset: Any) -> Any:
        """Invite all but those whose link works: it would die unasked."""
        form, page = self.ask_of_many(request, queryset, InviteForm, "invite", "Invite")
        if not isinstance(form, InviteForm):
            return page
        reasons = INVITED | ({} if form.reaches_all else ENDED)
        now = timezone.now()
        waiting = in_status(queryset, NOT_IN_YET, now).annotate(told=of_waiting(now))
        left_out = waiting.filter(told__in=reasons)
        refused = [(each, reasons[each.told]) for each in left_out]
        others = queryset.exclude(pk__in=left_out.order_by().values("pk"))
        self.send(request, others, refused)
        return None

    @admin.action(
        description="Send the invitation again",
        permissions=["invite"],
        location=EVERYWHERE,
    )
    def send_again(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask_of_many(
            request, queryset, SendAgainForm, "send_again", "Send again"
        )
        if form is None:
            return page
        others = queryset.filter(~has_pending())
        refused = [(each, NOT_INVITED) for each in others]
        self.send(request, queryset.filter(has_pending()), refused)
        return None

    def send(
        self,
        request: UserRequest,
        entries: Iterable[Membership],
        refused: Refused = (),
    ) -> None:
        try:
            sending = Invitation.objects.send(entries, request.user)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return
        one = "The invitation is on its way."
        self.tell_sent(request, sending, one, "invitations are on their way.", refused)

    @admin.action(
        description="Remind those pending longer than …",
        permissions=["invite"],
        location=EVERYWHERE,
    )
    def remind(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(request, queryset, RemindForm, "remind", "Remind")
        if form is None:
            return page
        days = form.cleaned_data["days"]
        sending = Invitation.objects.remind(queryset, request.user, days=days)
        one = "The reminder is on its way."
        self.tell_sent(request, sending, one, "reminders are on their way.")
        return None

    @admin.action(description="Extend …", permissions=["invite"], location=EVERYWHERE)
    def extend(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(request, queryset, ExtendForm, "extend", "Extend")
        if form is None:
            return page
        days = form.cleaned_data["days"]
        sending = Invitation.objects.extend(queryset, request.user, days=days)
        one = "The invitation is open for longer now."
        done = counted(len(sending.sent), one, "invitations are open for longer now.")
        self.report(request, done, sending.refused)
        return None

    @admin.action(
        description="Revoke the invitation", permissions=["change"], location=EVERYWHERE
    )
    def revoke(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask_of_many(request, queryset, RevokeForm, "revoke", "Revoke")
        if form is None:
            return page
        others = list(queryset.filter(~has_pending()))
        rows = Invitation.objects.filter(membership__in=queryset.values("pk"))
        count = rows.revoke(request.user)
        one = "The invitation is revoked."
        done = counted(count, one, "invitations are revoked.")
        self.report(request, done, [(each, NOTHING_TO_REVOKE) for each in others])
        return None

    @admin.action(
        description="Make a first password", permissions=["invite"], location=EVERYWHERE
    )
    def first_password(self, request: UserRequest, queryset: Any) -> Any:
        """Show first passwords, this once (S6); the page can't be called up again."""
        if queryset.count() > FIRST_PASSWORDS_AT_ONCE:
            at_most = f"Choose {FIRST_PASSWORDS_AT_ONCE} people at most at a time."
            self.message_user(request, at_most, messages.WARNING)
            return None
        try:
            made, refused = Invitation.objects.make_first_passwords(
                queryset, request.user
            )
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return None
        self.report(request, "", refused)
        if not made:
            return None
        return self.page(
            request, "desk/first_password.html", "First passwords", passwords=made
        )

    # What they may reach

    @admin.action(
        description="Add to a project …", permissions=["invite"], location=EVERYWHERE
    )
    def add_to_project(self, request: UserRequest, queryset: Any) -> Any:
        """Put people on a project; who is on it already stays as they are."""
        company = self.company_of(request, queryset)
        form, page = self.ask(
            request,
            queryset,
            partial(AddToProjectForm, company=company, by=request.user),
            "add_to_project",
            "Add to a project",
        )
        if not isinstance(form, AddToProjectForm):
            return page
        entries = list(queryset.select_related("default_project_template", "company"))
        pairs, without = form.pairs(entries)
        granting = ProjectMembership.objects.grant(pairs, request.user, **form.days)
        no_template = [(entry, NO_TEMPLATE) for entry in without]
        refused = [*granting.not_made, *no_template]
        self.report(request, f"Added: {len(granting.made)}.", refused)
        return None

    @admin.action(
        description="Change the company template …",
        permissions=["change"],
        location=EVERYWHERE,
    )
    def change_template(self, request: UserRequest, queryset: Any) -> Any:
        form = partial(ChangeTemplateForm, company=self.company_of(request, queryset))
        title = "Change the company template"
        asked, page = self.ask(request, queryset, form, "change_template", title)
        if asked is None:
            return page
        template = asked.cleaned_data["template"]
        outcome = queryset.change_template(template, request.user)
        self.tell(request, outcome, f"given the template {template}")
        return None

    @admin.action(
        description="Deactivate …", permissions=["change"], location=EVERYWHERE
    )
    def deactivate(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(
            request, queryset, DeactivateForm, "deactivate", "Deactivate"
        )
        if form is None:
            return page
        with transaction.atomic():
            outcome = queryset.deactivate(request.user)
            revoke_all(outcome.done, request.user)
        self.tell(request, outcome, "deactivated")
        return None

    @admin.action(
        description="Reactivate …", permissions=["change"], location=EVERYWHERE
    )
    def reactivate(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(
            request, queryset, ReactivateForm, "reactivate", "Reactivate"
        )
        if form is None:
            return page
        with_projects = form.cleaned_data["projects"] == "kept"
        outcome = queryset.reactivate(request.user, with_projects=with_projects)
        self.tell(request, outcome, "active again")
        return None

    # Taking away

    @admin.action(description="Export as a CSV file", permissions=["view"])
    def export(self, request: UserRequest, queryset: Any) -> HttpResponseBase:
        return csv_response("directory", PEOPLE, people(self.with_details(queryset)))

    # What is told afterwards

    def tell_sent(
        self,
        request: HttpRequest,
        sending: Sending,
        one: str,
        many: str,
        refused: Refused = (),
    ) -> None:
        done = on_their_way(sending, one, many)
        self.report(request, done, [*refused, *sending.refused])

    def tell(self, request: HttpRequest, outcome: Outcome, what: str) -> None:
        one = f"{outcome.done[0]} is {what}." if outcome.done else ""
        done = counted(len(outcome.done), one, f"people are {what}.")
        self.report(request, done, outcome.refused)


def has_pending() -> Exists:
    """Of an entry: whether an invitation is pending, be it expired."""
    return Exists(Invitation.objects.pending().filter(membership=OuterRef("pk")))


def counted(count: int, one: str, many: str) -> str:
    """What was done, in words; nothing where nothing was."""
    return {0: "", 1: one}.get(count, f"{count} {many}")


def revoke_all(entries: Iterable[Membership], by: User) -> None:
    """Take back what is open: a link that was dead must not come to life again when
    the entry is activated."""
    for some in batched(entries, AT_ONCE, strict=False):
        Invitation.objects.filter(membership__in=some).revoke(by)
