"""What every admin of the site is: its log is the audit, and addresses ask little."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst

from accounts.models import User
from audit.models import AuditEvent, AuditEventQuerySet

Kind = AuditEvent.Kind
IN_FORM = admin.ActionLocation.CHANGE_FORM

# Each word of a search is one more condition, of which a database takes only so many.
SEARCH_LENGTH = 100


def changed_columns(form: Any) -> set[str]:
    """The columns of its row that a form changes.

    Only they are saved: the row may have moved on since it was read. A person who joins
    while somebody corrects their telephone stays in.
    """
    columns = {field.name for field in form.instance._meta.concrete_fields}
    return columns & set(form.changed_data)


def in_words(field: Any, value: Any) -> str:
    """A value as the form shows it: before it is cleaned a row is its key."""
    rows = getattr(field, "queryset", None)
    if rows is not None and value and not isinstance(value, models.Model):
        value = rows.filter(pk=value).first()
    if isinstance(value, bool):
        return "yes" if value else "no"
    choices = dict(getattr(field, "choices", ())) if isinstance(value, str) else {}
    return str(choices.get(value, value) or "—")


def differences(
    obj: models.Model, changes: dict[str, tuple[str, str]]
) -> dict[str, str]:
    """The facts of an event, from what `construct_change_message` says."""
    return {
        str(obj._meta.get_field(name).verbose_name): f"{before} → {after}"  # type: ignore[union-attr]
        for name, (before, after) in changes.items()
    }


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Writes audit events where Django's own admin writes log entries.

    Of an address it takes only what its own pages write there: a look-up by another
    column, secret or not, would answer by the rows that it leaves (T43).
    """

    show_full_result_count = False
    view_on_site = False
    object_history_template = "admin/audit_history.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Show the list under its own name, not under "Select … to change"."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    # What an address may ask

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return any(lookup in names for names in self.filter_parameters(request))

    def filter_parameters(self, request: HttpRequest) -> Iterator[set[str]]:
        """The parameters that each filter of the list writes into its links."""
        filters: Iterable[Any] = self.get_list_filter(request)
        for each in filters:
            if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                yield {str(each.parameter_name)}
            else:
                name = each if isinstance(each, str) else each[0]
                yield {f"{name}__{end}" for end in ("exact", "id__exact", "isnull")}

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == "id"

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        return super().get_search_results(
            request, queryset, search_term[:SEARCH_LENGTH]
        )

    # What is written, and written down

    def save_model(
        self, request: HttpRequest, obj: models.Model, form: Any, change: bool
    ) -> None:
        obj.save(update_fields=changed_columns(form) if change else None)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Do what a button says beside saving: the action it names, or the chosen one.

        So what was typed is saved first, and the action finds it. Such a button is a
        'Save and continue editing' to Django, with the action as its value: where there
        is nothing to do besides, one stays on the form.
        """
        name, post = f"{IN_FORM.value}-action", request.POST.copy()
        action = post.get("_continue", "")
        if action in self.get_actions(request, action_location=IN_FORM):
            post[name] = action
        elif action != "run" or not post.get(name):
            return super().response_change(request, obj)
        post[helpers.ACTION_CHECKBOX_NAME] = str(obj.pk)
        request.POST = post  # type: ignore[assignment]
        self.message_user(request, f"{obj} is saved.", messages.SUCCESS)
        row = self.get_queryset(request).filter(pk=obj.pk)
        done = self.response_action(request, row, action_location=IN_FORM)
        return done or HttpResponseRedirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(Kind.ENTRY_ADDED, request, obj)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Of each column that was changed what it was and what it is, in words."""
        fields = {} if add else {name: form[name] for name in changed_columns(form)}
        return {
            name: (
                in_words(bound.field, bound.initial),
                in_words(bound.field, form.cleaned_data[name]),
            )
            for name, bound in sorted(fields.items())
        }

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            self.record(Kind.ENTRY_CHANGED, request, obj, differences(obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            self.record(Kind.ENTRY_DELETED, request, obj)

    def record(
        self,
        kind: AuditEvent.Kind,
        request: HttpRequest,
        obj: models.Model,
        facts: dict[str, Any] | None = None,
    ) -> None:
        company = getattr(obj, "company", None)
        AuditEvent.record(kind, cast(User, request.user), company, obj, facts)

    # What is read of it

    def has_history_permission(self, request: HttpRequest) -> bool:
        """Whoever may see a row, which Django asks, may read what happened to it."""
        return True

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Lead to the history whoever may read it."""
        context["may_read_history"] = self.has_history_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_history_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        events = self.history_of(obj) if obj else AuditEvent.objects.none()
        page = Paginator(events.select_related("actor"), 100).get_page(
            request.GET.get("p")
        )
        rows = [(event, event.who(cast(User, request.user))) for event in page]
        context = {"events": page, "rows": rows, **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def history_of(self, obj: Any) -> AuditEventQuerySet:
        """What is to be read on the history page of a row."""
        return AuditEvent.objects.about(obj)


class OperatorAdmin(AuditedAdmin):
    """For operators only: nobody else has a permission on a whole model.

    For others no row is there, or a refusal would tell that a number is taken (T43).
    """

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.none()

    # Asked on each page of the admin: without the tables of Django's own permissions.

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class ReadOnlyAdmin(OperatorAdmin):
    """A list to look things up in."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
