"""Delivery repair: mails that did not arrive, corrected and sent again in one go."""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import canonical_domain
from accounts.models import User
from accounts.requests import UserRequest
from companies.admin import CompanyScopedAdmin
from companies.desk import desk_company
from companies.models import Membership
from desk.admin.progress import on_their_way
from desk.repair import Group, failed_mails, grouped, guess, known_domains
from invitations.models import Delivery, Invitation
from invitations.models.sending import Sending

REPAIR = "admin:invitations_invitation_repair"
PAGE = "desk/repair.html"
TITLE = "Mails that did not arrive"
MAILS_AT_ONCE = 10_000
GROUPS_SHOWN = 100
# Two fields each: a form may have 1,000 (Django's limit).
ROWS_SHOWN = 200


class RepairForm(forms.Form):
    """A new domain for many, new addresses for some, or the same address once more."""

    domain = forms.CharField(
        required=False,
        max_length=253,
        label="New domain for all chosen",
        help_text=(
            "Takes the place of the domain in each address that you leave as it is."
        ),
    )

    def __init__(self, *args: Any, group: Group, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = [entry_of(mail) for mail in group.mails]
        self.shown = self.entries[:ROWS_SHOWN]
        self.sending = Sending()
        for entry in self.shown:
            self.fields[f"chosen_{entry.pk}"] = forms.BooleanField(
                required=False, initial=True, label=str(entry)
            )
            self.fields[f"address_{entry.pk}"] = forms.CharField(
                required=False, initial=entry.email, label=f"Address of {entry}"
            )
        if len(self.entries) > ROWS_SHOWN:
            self.fields["across"] = forms.BooleanField(
                required=False,
                label=f"And {len(self.entries) - ROWS_SHOWN} who aren’t listed here",
            )

    def rows(self) -> Iterator[tuple[Membership, Any, Any]]:
        """The people, each with a box to tick and a field; who is done is left out."""
        sent = {invitation.membership_id for invitation in self.sending.sent}
        for entry in self.shown:
            if entry.pk not in sent:
                yield entry, self[f"chosen_{entry.pk}"], self[f"address_{entry.pk}"]

    def clean_domain(self) -> str:
        domain = self.cleaned_data["domain"].strip().removeprefix("@")
        return canonical_domain(domain) if domain else ""

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.addresses():
            raise ValidationError("Choose whom to send to.", code="nobody_chosen")
        return self.cleaned_data

    def addresses(self) -> dict[int, str]:
        """Which address each of the chosen is to have."""
        given = self.cleaned_data
        shown = {
            entry: given[f"address_{entry.pk}"]
            for entry in self.shown
            if given[f"chosen_{entry.pk}"]
        }
        rest = self.entries[ROWS_SHOWN:] if given.get("across") else []
        typed = shown | {entry: entry.email for entry in rest}
        return {entry.pk: self.address(entry, text) for entry, text in typed.items()}

    def address(self, entry: Membership, typed: str) -> str:
        """What was typed for somebody; or the new domain, where nothing was."""
        domain = self.cleaned_data["domain"]
        if not domain or typed.strip() != entry.email:
            return typed
        local, _, _ = entry.email.rpartition("@")
        return f"{local}@{domain}"

    @transaction.atomic
    def save(self, by: User) -> list[tuple[Membership, str]]:
        """Correct and invite anew. Return who was refused, with the reason.

        Raises:
            ValidationError: when nobody can be invited; then nothing is corrected.
        """
        correcting = Membership.objects.correct_addresses(self.addresses(), by)
        self.sending = Invitation.objects.send(correcting.corrected, by)
        return [*correcting.refused, *self.sending.refused]

    def say(self, refused: list[tuple[Membership, str]]) -> list[tuple[Any, str]]:
        """Say at each row why it was refused. Return those that don't stand here."""
        for entry, sentence in refused:
            if (name := f"address_{entry.pk}") in self.fields:
                self.add_error(name, sentence)
        return [each for each in refused if f"address_{each[0].pk}" not in self.fields]


class RepairPages(CompanyScopedAdmin):
    """The pages of the repair, beside the list of invitations."""

    def get_urls(self) -> list[Any]:
        return [self.own("repair/", self.repair, "repair"), *super().get_urls()]

    def repair(self, request: UserRequest) -> HttpResponse:
        """List what did not arrive, by domain and cause; or mend one group of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if "domain" not in request.GET:
            return self.repair_list(request)
        return self.repair_group(request)

    def repair_group(self, request: UserRequest) -> HttpResponse:
        """Show the people of a group, and send to those whom the form names."""
        group = find_group(request)
        if group is None:
            return redirect(REPAIR)
        directory: Any = self.admin_site.get_model_admin(Membership)
        may_repair = directory.has_change_permission(request)
        if request.method == "POST" and not may_repair:
            raise PermissionDenied
        meant = {"domain": request.GET.get("correct", "")}
        form = RepairForm(request.POST or None, group=group, initial=meant)
        if form.is_valid() and self.mend(request, form):
            return redirect(REPAIR)
        more = {"group": group, "form": form, "may_repair": may_repair}
        return self.page(request, PAGE, group.label, **more)

    def repair_list(self, request: UserRequest) -> HttpResponse:
        company = desk_company(request)
        mails = failed_mails(company, timezone.now()).only("recipient", "reason")
        groups = grouped(mails[:MAILS_AT_ONCE])
        known = known_domains(company) if groups else []
        rows = [
            (group, url_of(group), meant, url_of(group, meant))
            for group in groups[:GROUPS_SHOWN]
            for meant in [guess(group.domain, known)]
        ]
        left = len(groups) - len(rows)
        return self.page(request, PAGE, TITLE, rows=rows, left=left)

    def mend(self, request: UserRequest, form: RepairForm) -> bool:
        """Do what the form says, and tell it. Return whether nothing is left to say."""
        try:
            refused = form.save(request.user)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return False
        except IntegrityError:
            sentence = "Somebody else has just changed this. Check it and send again."
            self.message_user(request, sentence, messages.ERROR)
            return False
        one = "The invitation is on its way."
        done = on_their_way(form.sending, one, "invitations are on their way.")
        elsewhere = form.say(refused)
        self.report(request, done, elsewhere)
        return not refused or len(elsewhere) == len(refused)


def entry_of(mail: Delivery) -> Membership:
    """The entry that a mail's invitation is for."""
    return cast(Invitation, mail.invitation).membership


def url_of(group: Group, meant: str = "") -> str:
    query = group.query | ({"correct": meant} if meant else {})
    return f"{reverse(REPAIR)}?{urlencode(query)}"


def find_group(request: HttpRequest) -> Group | None:
    """The group that the address names, if it is there and not mended already."""
    domain, cause = request.GET["domain"], request.GET.get("cause")
    mails = failed_mails(desk_company(request), timezone.now()).filter(
        recipient__endswith=f"@{domain}"
    )
    mails = mails.select_related("invitation__membership__company")[:MAILS_AT_ONCE]
    return next((each for each in grouped(mails) if each.cause == cause), None)
