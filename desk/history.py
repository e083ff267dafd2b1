"""What one may ask of a company's history: about whom, by whom, what, and when."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from audit.models import OPERATOR, AuditEvent, AuditEventQuerySet
from companies.admin.forms import day_field
from companies.models import Membership
from companies.models.directory import FOUND_AT_MOST, any_of, spellings

Kind = AuditEvent.Kind
ENTRY = Membership._meta.label_lower

# Of a log-in or of the whole site: they have no company, or tell one whether somebody
# had a log-in before they joined (T22).
NOT_OF_A_COMPANY = {
    *(Kind.LOGGED_IN, Kind.LOG_IN_REFUSED, Kind.LOGGED_OUT, Kind.RESET_ASKED),
    *(Kind.PASSWORD_CHANGED, Kind.PASSWORD_RESET),
    *(Kind.FACTOR_ADDED, Kind.FACTOR_REMOVED, Kind.FACTOR_RESET),
    *(Kind.ADDRESS_ADDED, Kind.ADDRESS_CHANGED, Kind.ADDRESS_CONFIRMED),
    *(Kind.ADDRESS_REMOVED, Kind.ACCOUNT_CREATED, Kind.ACCOUNT_PROVEN),
    *(Kind.TERMS_PUBLISHED, Kind.TERMS_ACCEPTED),
}


def told_to(reader: User, events: AuditEventQuerySet) -> AuditEventQuerySet:
    """Those of a company's events that the reader may know of: operators all."""
    if reader.is_superuser:
        return events
    return events.exclude(about_model=User._meta.label_lower)


class HistoryForm(forms.Form):
    """The questions; each is left open or answered."""

    person = forms.CharField(
        label="About", required=False, max_length=100, help_text="Name or address."
    )
    actor = forms.CharField(
        label="Done by", required=False, max_length=100, help_text="Name or address."
    )
    kind = forms.ChoiceField(label="What", required=False)
    days = forms.ChoiceField(
        label="When",
        required=False,
        choices=[
            ("", "At any time"),
            ("1", "Today"),
            ("7", "The last 7 days"),
            ("30", "The last 30 days"),
        ],
    )
    since = day_field("From", required=False)
    until = day_field("Until", required=False)

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reader = reader
        hidden = set() if reader.is_superuser else NOT_OF_A_COMPANY
        kinds = [
            (kind.value, kind.label[0].upper() + kind.label[1:])
            for kind in Kind
            if kind not in hidden
        ]
        field: Any = self.fields["kind"]
        field.choices = [("", "Everything"), *kinds]

    def narrow(
        self,
        events: AuditEventQuerySet,
        about: models.QuerySet[Membership] | None,
        by: models.QuerySet[Membership] | None,
    ) -> AuditEventQuerySet:
        """Those of the events that are asked for.

        Args:
            about: the entries of the directory that `person` means; None: anybody's.
            by: the entries that `actor` means; None: anybody's.
        """
        asked = self.cleaned_data
        if about is not None:
            gone = self.gone(events)
            meant = Q(about_id__in=about.values("pk")) | Q(about_id__in=gone)
            events = events.filter(meant, about_model=ENTRY)
        if by is not None:
            events = events.filter(self.by(by))
        if asked["kind"]:
            events = events.filter(kind=asked["kind"])
        return self.in_time(events)

    def gone(self, events: AuditEventQuerySet) -> list[int]:
        """The entries that are deleted by now, by the name that they had then.

        Looked up first: an OR over several tables uses no index.
        """
        deleted = events.filter(about_model=ENTRY, kind=Kind.ENTRY_DELETED)
        for word in self.cleaned_data["person"].replace(",", " ").split():
            deleted = deleted.filter(any_of("about_label__icontains", spellings(word)))
        keys = deleted.order_by().values_list("about_id", flat=True)
        return [key for key in keys[:FOUND_AT_MOST] if key]

    def by(self, entries: models.QuerySet[Membership]) -> Q:
        """The actors that are meant: to a company an operator is nobody (T45)."""
        words = self.cleaned_data["actor"]
        joined = entries.filter(user__isnull=False)
        if self.reader.is_superuser:
            people = Q(actor__in=joined.values("user"))
            return people | Q(actor__email__icontains=words)
        if words.casefold() == OPERATOR:
            return Q(actor__is_superuser=True)
        return Q(actor__in=joined.filter(user__is_superuser=False).values("user"))

    def in_time(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        """The days are those of the installation's time zone, both included."""
        asked = self.cleaned_data
        if asked["days"]:
            first = timezone.localdate() - timedelta(days=int(asked["days"]) - 1)
            events = events.filter(at__gte=midnight(first))
        if asked["since"]:
            events = events.filter(at__gte=midnight(asked["since"]))
        if asked["until"]:
            after = midnight(asked["until"] + timedelta(days=1))
            events = events.filter(at__lt=after)
        return events


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
