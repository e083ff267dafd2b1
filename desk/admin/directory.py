"""The directory of a company: its people, where each stands, and inviting them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db import models
from django.forms import DateInput, ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from audit.models import AuditEvent
from companies.admin import (
    CompanyInlineFormSet,
    CompanyRelatedFilter,
    CompanyScopedInline,
    GivingForm,
)
from companies.admin.scoped_forms import row_keys
from companies.desk import desk_company
from companies.explanations import Explainer, explain_page
from companies.models import Membership, PermissionTemplate, ProjectMembership
from companies.models.grants import record_grants
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER, Level
from desk.admin.filters import (
    ProjectFilter,
    ProjectNameFilter,
    StatusFilter,
    VendorFilter,
    VendorNameFilter,
)
from desk.admin.story import StoryPages
from desk.admin.verbs import DirectoryVerbs
from desk.forms import ExplainForm
from desk.status import Status, with_status
from desk.steps import STEPS
from invitations.models import Delivery, Invitation

Kind = AuditEvent.Kind

# A form may have 1,000 fields (Django's limit): more grants are changed in their list.
GRANTS_IN_FORM = 100
# Of the mails about somebody's invitation the form shows the newest.
MAILS_SHOWN = 5
STILL_TO_BE_SENT = (
    "The link that was sent before no longer works, and nothing has been sent to the "
    "corrected address yet: use ‘Send the invitation again’."
)


class ProjectFormSet(CompanyInlineFormSet):
    same_choices = frozenset({"template"})


class ProjectInlineForm(GivingForm):
    """A grant in the form of its person; it keeps its project, as in its own form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "project" in self.fields:
            self.fields["project"].disabled = True


class ProjectInline(CompanyScopedInline):
    form = ProjectInlineForm
    formset = ProjectFormSet
    adds_from = Level.STANDARD
    model = ProjectMembership
    verbose_name = "project"
    verbose_name_plural = "projects"
    fields = ["project", "template", "starts_on", "ends_on", "standing"]
    readonly_fields = ["standing"]
    autocomplete_fields = ["project"]
    # The browser's own calendar: Django's shortcuts would double the width of a day.
    formfield_overrides = {
        models.DateField: {
            "widget": DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        }
    }

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("project", "membership__user")

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Leave out the buttons that add a project or a template: a row is narrow."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField):
            cast(Any, field.widget).can_add_related = False
        return field

    @admin.display(description="today")
    def standing(self, grant: ProjectMembership) -> str:
        """Whether it holds today; of a suspended one, why."""
        return grant.state_words(timezone.localdate()) if grant.pk else ""


@admin.register(Membership)
class DirectoryAdmin(DirectoryVerbs, StoryPages):
    form = GivingForm
    adds_from = Level.STANDARD
    list_display = [
        "name",
        "status_text",
        "job_title",
        "vendor",
        "template",
        "project_count",
    ]
    list_filter = [
        StatusFilter,
        ("vendor", VendorFilter),
        VendorNameFilter,
        ("template", CompanyRelatedFilter),
        ProjectFilter,
        ProjectNameFilter,
    ]
    list_select_related = ["company", "vendor", "template", "user"]
    search_fields = ["search_text"]  # with what `matching` finds beside it
    search_help_text = "Search by name, e-mail address or firm."
    autocomplete_fields = ["vendor"]
    inlines = [ProjectInline]

    def with_details(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return with_status(rows, timezone.now())

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The entry with its status, which its page tells."""
        rows = self.get_queryset(request).filter(pk__in=row_keys([object_id]))
        shown = rows.select_related(*self.list_select_related)
        return self.with_details(shown).first()

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        term = search_term[:SEARCH_LENGTH]
        return queryset.matching(term, desk_company(request)), False

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Leave out the button that adds a template: it would be one for projects."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "template":
            cast(Any, field).widget.can_add_related = False
        return field

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
        query = {"membership__id__exact": entry.pk}
        url = reverse("admin:companies_projectmembership_changelist", query=query)
        return format_html('<a href="{}">{} projects</a>', url, entry.project_count)

    @admin.display(description="status")
    def status_text(self, entry: Any) -> str:
        """The status, and what one asks next: since when, until when, why."""
        label = Status(entry.status).label
        match entry.status:
            case Status.INVITED:
                until = day(entry.expires_at)
                if entry.mail_state is None:
                    return f"Has a first password, no mail was sent; open until {until}"
                text = f"{label} on {day(entry.invited_at)}, open until {until}"
                if entry.mail_state == Delivery.State.DEFERRED:
                    return f"{text}; the mail is tried again: {entry.mail_reason}"
                return text
            case Status.ADDRESS_CORRECTED:
                return f"{label}, the invitation is still to be sent there"
            case Status.MAIL_REFUSED:
                return f"{label}: {entry.mail_reason}"
            case Status.NEW_LINK_ASKED:
                return f"{label} on {day(entry.new_link_asked_at)}"
            case Status.NEEDS_CONFIRMATION:
                return f"{label} since {day(entry.held_at)}"
            case Status.EXPIRED:
                return f"{label} on {day(entry.expires_at)}"
            case Status.REVOKED | Status.DECLINED:
                return f"{label} on {day(entry.settled_at)}"
            case Status.JOINED:
                return f"{label} on {day(entry.joined_at)}"
        return label

    # What may be changed

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The person, and what they are at the company; projects follow, as rows."""
        address = "email_address" if obj and obj.has_joined else "email"
        person = [
            address,
            ("first_name", "last_name"),
            ("job_title", "phone"),
            "vendor",
        ]
        access = [
            ("template", "default_project_template"),
            *(["is_active"] if obj else []),
            *(["grants"] if has_many(obj) else []),
        ]
        return [
            ("Person", {"fields": [*self.company_field(request), *person]}),
            ("At the company", {"fields": access}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The log-in of somebody who has joined is theirs, not the company's (T45)."""
        return ["company", "email_address", "grants"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """The projects in the form, unless there are too many for one."""
        return [] if has_many(obj) else super().get_inlines(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new person is a plain member, unless the administrator says otherwise; the
        first one of a company administers it."""
        company = desk_company(request)
        is_first = company is not None and not company.memberships.exists()
        name = COMPANY_ADMINISTRATOR if is_first else MEMBER
        templates = PermissionTemplate.objects.filter(company=company, name=name)
        return {"template": templates.first()}

    def render_change_form(  # type: ignore[override]
        self, request: UserRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Tell below the form, in short, how the invitation stands; offer a step."""
        if entry := context["original"]:
            step = STEPS.get(entry.status)
            if step and self.may_take(request, step.permission, entry):
                context["step"] = step
            mails = Delivery.objects.filter(invitation__membership=entry)
            context["status"] = self.status_text(entry)
            context["mails"] = mails.order_by("-pk")[:MAILS_SHOWN]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save; a corrected address gets the pending invitation at once, anew.

        Who is switched off has no open invitation any more: it would work again when
        they are switched on. ‘Save and send again’ does so after this.
        """
        super().save_model(request, obj, form, change)
        pending = Invitation.objects.pending().filter(membership=obj)
        if not obj.is_active:
            pending.revoke(cast(UserRequest, request).user)
        elif request.POST.get("_continue") == "send_again":
            return
        elif change and "email" in form.changed_data and pending.exists():
            self.send(cast(UserRequest, request), [obj])
            if pending.exclude(sent_to=obj.email).exists():
                self.message_user(request, STILL_TO_BE_SENT, messages.WARNING)

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Say that the person is there; ‘Save and invite’ has one more thing to do."""
        response = super().response_add(request, obj, *args)
        if "_invite" in request.POST:
            self.send(cast(UserRequest, request), [obj])
        return response

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        super().save_formset(request, form, formset, change)
        user = cast(UserRequest, request).user
        changed = [grant for grant, _ in formset.changed_objects]
        record_grants(Kind.GRANTED, user, formset.new_objects)
        record_grants(Kind.GRANT_CHANGED, user, changed)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """As what the actions write for the same: the history is asked by kind."""
        if template := message.pop("template", None):
            facts = dict(zip(("before", "after"), template, strict=True))
            self.record(Kind.TEMPLATE_CHANGED, request, obj, facts)
        if message.pop("is_active", None):
            switched = (
                Kind.ENTRY_REACTIVATED if obj.is_active else Kind.ENTRY_DEACTIVATED
            )
            self.record(switched, request, obj)
        super().log_change(request, obj, message)

    # Why they see what they see

    def get_urls(self) -> list[Any]:
        access = self.own("<int:pk>/access/", self.access, "access")
        return [access, *super().get_urls()]

    def access(self, request: UserRequest, pk: int) -> HttpResponse:
        """What this person sees, and why: computed, without acting as them."""
        entry = self.find(request, pk)
        form = ExplainForm(request.GET, company=entry.company, by=request.user)
        asked = form.cleaned_data["project"] if form.is_valid() else None
        known = explain_page(entry, request.GET.get("p"))
        if asked:
            known["rows"] = [(asked, Explainer.of(entry, asked))]
        return self.page(
            request,
            "desk/access.html",
            f"Access of {entry}",
            original=entry,
            form=form,
            asked=asked,
            **known,
        )


def has_many(entry: Any) -> bool:
    """Whether somebody is on more projects than a form can hold."""
    return getattr(entry, "project_count", 0) > GRANTS_IN_FORM


def day(at: Any) -> str:
    return date_format(timezone.localtime(at))
