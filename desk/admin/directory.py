"""The directory of a company: its people, where each stands, and inviting them."""

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from companies.admin import (
    EVERYWHERE,
    CompanyInlineFormSet,
    CompanyRelatedFilter,
    CompanyScopedInline,
    GivingForm,
)
from companies.desk import desk_company
from companies.explanations import EXPLAINED_AT_ONCE, Explainer, explain_grants
from companies.models import Membership, PermissionTemplate, ProjectMembership
from companies.tools import MEMBER, Level
from desk.admin.story import StoryPages
from desk.forms import AddToProjectForm, ExplainForm
from desk.status import NOT_IN_YET, Status, in_status, with_status
from invitations.models import Invitation

FIRST_PASSWORDS_AT_ONCE = 50
# A form may have 1,000 fields (Django's limit): more grants are changed in their list.
GRANTS_IN_FORM = 100

INVITED_ALREADY = "Has an invitation already: use ‘Send the invitation again’."
ON_IT_ALREADY = "Is on this project already, and stays as they are."
NO_TEMPLATE = "Has no default project template: choose one for all."
NOT_INVITED = "Has no open invitation: use ‘Invite’."


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(NOT_IN_YET, "Can’t get in yet"), *Status.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return in_status(queryset, wanted, timezone.now()) if wanted else queryset


class ProjectFormSet(CompanyInlineFormSet):
    same_choices = frozenset({"template"})


class ProjectInline(CompanyScopedInline):
    form = GivingForm
    formset = ProjectFormSet
    adds_from = Level.STANDARD
    model = ProjectMembership
    verbose_name = "project"
    verbose_name_plural = "projects"
    fields = ["project", "template", "starts_on", "ends_on"]
    autocomplete_fields = ["project"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("project", "membership__user")


@admin.register(Membership)
class DirectoryAdmin(StoryPages):
    form = GivingForm
    adds_from = Level.STANDARD
    list_display = [
        "name",
        "status_text",
        "vendor",
        "template",
        "project_count",
    ]
    list_filter = [
        StatusFilter,
        ("vendor", CompanyRelatedFilter),
        ("template", CompanyRelatedFilter),
    ]
    list_select_related = ["company", "vendor", "template", "user"]
    search_fields = ["search_text"]  # with what `matching` finds beside it
    search_help_text = "Search by name, e-mail address or firm."
    autocomplete_fields = ["vendor"]
    inlines = [ProjectInline]
    actions = ["invite", "send_again", "revoke", "first_password", "add_to_project"]
    change_form_template = "desk/person_form.html"
    fields = [
        "email",
        ("first_name", "last_name"),
        ("job_title", "phone"),
        "vendor",
        ("template", "default_project_template"),
        "is_active",
    ]

    def with_details(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return with_status(rows, timezone.now())

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The entry with its status, which its page tells."""
        entry = super().get_object(request, object_id, from_field)
        if entry is None:
            return None
        row = Membership.objects.select_related(*self.list_select_related)
        return self.with_details(row).get(pk=entry.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        term = search_term[:SEARCH_LENGTH]
        return queryset.matching(term, desk_company(request)), False

    # What a reader sees

    @admin.display(description="name", ordering="last_name")
    def name(self, entry: Membership) -> str:
        """The name, and below it the address; the address alone where no name is."""
        if not entry.full_name:
            return entry.address
        return format_html(
            '{}<span class="quiet">{}</span>', entry.full_name, entry.address
        )

    @admin.display(description="e-mail address", ordering="email")
    def email_address(self, entry: Membership) -> str:
        return entry.address

    @admin.display(description="projects")
    def project_count(self, entry: Any) -> int:
        return int(entry.project_count)

    @admin.display(description="projects")
    def grants(self, entry: Any) -> str:
        """Where the projects are kept that are too many for the form."""
        query = {"q": entry.email}
        url = reverse("admin:companies_projectmembership_changelist", query=query)
        return format_html('<a href="{}">{} projects</a>', url, entry.project_count)

    @admin.display(description="status")
    def status_text(self, entry: Any) -> str:
        """The status, and what one asks next: since when, until when, why."""
        label = Status(entry.status).label
        match entry.status:
            case Status.INVITED:
                return f"{label}, open until {day(entry.expires_at)}"
            case Status.MAIL_REFUSED:
                return f"{label}: {entry.mail_reason}"
            case Status.NEW_LINK_ASKED:
                return f"{label} on {day(entry.new_link_asked_at)}"
            case Status.EXPIRED:
                return f"{label} on {day(entry.expires_at)}"
            case Status.JOINED:
                return f"{label} on {day(entry.joined_at)}"
        return label

    # What may be changed

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        if obj is None:
            return [field for field in fields if field != "is_active"]
        if obj.has_joined:
            fields[fields.index("email")] = "email_address"
        return [*fields, "status_text", *(["grants"] if has_many(obj) else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The log-in of somebody who has joined is theirs, not the company's (T45)."""
        return ["company", "email_address", "status_text", "grants"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """The projects in the form, unless there are too many for one."""
        return [] if has_many(obj) else super().get_inlines(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new person is a plain member, unless the administrator says otherwise."""
        templates = PermissionTemplate.objects.filter(
            company=desk_company(request), name=MEMBER
        )
        return {"template": templates.first()}

    def save_model(
        self, request: HttpRequest, obj: Membership, form: Any, change: bool
    ) -> None:
        """Save; a corrected address gets the pending invitation at once, anew."""
        super().save_model(request, obj, form, change)
        pending = Invitation.objects.pending().filter(membership=obj)
        if change and "email" in form.changed_data and pending.exists():
            self.send(cast(UserRequest, request), [obj])

    # Projects

    @admin.action(
        description="Add to a project …", permissions=["invite"], location=EVERYWHERE
    )
    def add_to_project(self, request: UserRequest, queryset: Any) -> Any:
        """Put people on a project; who is on it already stays as they are."""
        entries = list(queryset.select_related("default_project_template", "company"))
        company = desk_company(request) or entries[0].company
        form, page = self.ask(
            request,
            queryset,
            partial(AddToProjectForm, company=company),
            "add_to_project",
            "Add to a project",
        )
        if not isinstance(form, AddToProjectForm):
            return page
        pairs, without = form.pairs(entries)
        try:
            granting = ProjectMembership.objects.grant(pairs, request.user, **form.days)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return None
        there = [(grant.membership, ON_IT_ALREADY) for grant in granting.there]
        no_template = [(entry, NO_TEMPLATE) for entry in without]
        self.report(request, f"Added: {len(granting.made)}.", [*there, *no_template])
        return None

    def get_urls(self) -> list[Any]:
        access = self.admin_site.admin_view(self.access)
        name = "companies_membership_access"
        return [path("<int:pk>/access/", access, name=name), *super().get_urls()]

    def access(self, request: UserRequest, pk: int) -> HttpResponse:
        """What this person sees, and why: computed, without acting as them."""
        entry = self.get_object(request, str(pk))
        if entry is None or not self.has_view_permission(request, entry):
            raise Http404
        rows = explain_grants(entry)
        form = ExplainForm(request.GET, company=entry.company)
        if form.is_valid() and (project := form.cleaned_data["project"]):
            rows = [(project, Explainer.of(entry, project))]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Access of {entry}",
            "opts": self.opts,
            "original": entry,
            "form": form,
            "has_levels": len(rows) <= EXPLAINED_AT_ONCE,
            "sections": [
                ("Sees", [row for row in rows if row[1].is_open]),
                ("Does not see", [row for row in rows if not row[1].is_open]),
            ],
        }
        return TemplateResponse(request, "desk/access.html", context)

    # Inviting

    @admin.action(description="Invite", permissions=["invite"], location=EVERYWHERE)
    def invite(self, request: UserRequest, queryset: Any) -> None:
        """Invite all but those whose link works: it would die unasked."""
        entries = list(self.with_details(queryset))
        invited = [each for each in entries if each.status == Status.INVITED]
        refused = [(each, INVITED_ALREADY) for each in invited]
        self.send(request, [x for x in entries if x not in invited], refused)

    @admin.action(
        description="Send the invitation again",
        permissions=["invite"],
        location=EVERYWHERE,
    )
    def send_again(self, request: UserRequest, queryset: Any) -> None:
        entries = list(self.with_details(queryset))
        pending = Invitation.State.PENDING
        invited = [each for each in entries if each.invitation_state == pending]
        refused = [(each, NOT_INVITED) for each in entries if each not in invited]
        self.send(request, invited, refused)

    def send(
        self,
        request: UserRequest,
        entries: Iterable[Membership],
        refused: Iterable[tuple[Membership, str]] = (),
    ) -> None:
        try:
            sending = Invitation.objects.send(entries, request.user)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return
        count = len(sending.sent)
        done = {0: "", 1: "The invitation is on its way."}
        self.report(
            request,
            done.get(count, f"{count} invitations are on their way."),
            [*refused, *sending.refused],
        )

    @admin.action(
        description="Revoke the invitation", permissions=["change"], location=EVERYWHERE
    )
    def revoke(self, request: UserRequest, queryset: Any) -> None:
        count = Invitation.objects.filter(membership__in=queryset.values("pk")).revoke(
            request.user
        )
        done = {
            0: "None of these had an open invitation.",
            1: "The invitation is revoked.",
        }
        self.report(request, done.get(count, f"{count} invitations are revoked."), [])

    @admin.action(
        description="Make a first password", permissions=["invite"], location=EVERYWHERE
    )
    def first_password(self, request: UserRequest, queryset: Any) -> Any:
        """Show first passwords, this once (S6); the page can't be called up again."""
        if queryset.count() > FIRST_PASSWORDS_AT_ONCE:
            sentence = f"Choose {FIRST_PASSWORDS_AT_ONCE} people at most at a time."
            self.message_user(request, sentence, messages.WARNING)
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
        context = {
            **self.admin_site.each_context(request),
            "title": "First passwords",
            "opts": self.opts,
            "passwords": made,
        }
        return TemplateResponse(request, "desk/first_password.html", context)


def has_many(entry: Any) -> bool:
    """Whether somebody is on more projects than a form can hold."""
    return getattr(entry, "project_count", 0) > GRANTS_IN_FORM


def day(at: Any) -> str:
    return date_format(timezone.localtime(at), "j M Y")
