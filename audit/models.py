"""What happened: one append-only table, which knows no other app's rules."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models import User

if TYPE_CHECKING:
    from companies.models import Company

# Empty outside of a request: in a command or in the worker.
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)

# What company administrators read in the place of an operator's name.
OPERATOR = "the operator"


class AppendOnlyQuerySet[Row: models.Model](models.QuerySet[Row]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise never(self.model, "changed")

    def delete(self) -> NoReturn:
        raise never(self.model, "deleted")


class AppendOnly(models.Model):
    """Rows that are written once and stay as they are.

    PostgreSQL holds that by a trigger (`audit.operations.append_only`); here it is held
    for SQLite.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise never(type(self), "changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise never(type(self), "deleted")


def never(model: type[models.Model], what: str) -> TypeError:
    return TypeError(f"Rows of {model._meta.verbose_name_plural} are never {what}.")


class AuditEventQuerySet(AppendOnlyQuerySet["AuditEvent"]):
    def about(self, row: models.Model) -> Self:
        """What has happened to a row."""
        return self.filter(about_model=row._meta.label_lower, about_id=row.pk)

    def about_address(self, address: str) -> Self:
        """What was tried with an address, whether it has an account or none."""
        return self.filter(about_id=None, about_label=address)


class AuditEvent(AppendOnly):
    """One thing that happened: what, by whom, about whom, in which company, from where.

    The references are kept without a constraint, so that inserting takes no lock on the
    rows that they name. `facts` never hold a secret.
    """

    class Kind(models.TextChoices):
        LOGGED_IN = "logged_in", "logged in"
        LOG_IN_REFUSED = "log_in_refused", "log-in refused"
        LOGGED_OUT = "logged_out", "logged out"
        PASSWORD_CHANGED = "password_changed", "password changed"  # noqa: S105
        PASSWORD_RESET = "password_reset", "password reset"  # noqa: S105
        RESET_ASKED = "reset_asked", "asked for a link at the log-in page"
        FACTOR_ADDED = "factor_added", "second factor added"
        FACTOR_REMOVED = "factor_removed", "second factor removed"
        FACTOR_RESET = "factor_reset", "recovery codes made anew"
        ADDRESS_ADDED = "address_added", "new e-mail address entered"
        ADDRESS_CHANGED = "address_changed", "e-mail address changed"
        ADDRESS_CONFIRMED = "address_confirmed", "e-mail address confirmed"
        ADDRESS_REMOVED = "address_removed", "e-mail address removed"
        ACCOUNT_CREATED = "account_created", "account created"
        ACCOUNT_PROVEN = "account_proven", "account proven by a mailed link"
        COMPANY_CREATED = "company_created", "company created"
        ENTRY_ADDED = "entry_added", "added"
        ENTRY_CHANGED = "entry_changed", "changed"
        ENTRY_DELETED = "entry_deleted", "deleted"
        ENTRY_DEACTIVATED = "entry_deactivated", "deactivated"
        ENTRY_REACTIVATED = "entry_reactivated", "reactivated"
        TEMPLATE_CHANGED = "template_changed", "company template changed"
        PEOPLE_IMPORTED = "people_imported", "people imported"
        IMPORT_UNDONE = "import_undone", "import undone"
        LEVELS_CHANGED = "levels_changed", "levels changed"
        GRANTED = "granted", "put on a project"
        GRANT_CHANGED = "grant_changed", "access to a project changed"
        GRANT_SUSPENDED = "grant_suspended", "suspended on a project"
        GRANT_LIFTED = "grant_lifted", "suspension lifted"
        GRANT_ENDED = "grant_ended", "end on a project set"
        GRANT_REMOVED = "grant_removed", "taken off a project"
        INVITATION_SENT = "invitation_sent", "invitation sent"
        INVITATION_PREPARED = "invitation_prepared", "invitation made without a mail"
        INVITATION_REMINDED = "invitation_reminded", "reminded of the invitation"
        INVITATION_EXTENDED = "invitation_extended", "invitation extended"
        INVITATION_REVOKED = "invitation_revoked", "invitation revoked"
        INVITATION_ACCEPTED = "invitation_accepted", "invitation accepted"
        INVITATION_DECLINED = "invitation_declined", "invitation declined"
        INVITATION_HELD = "invitation_held", "invitation needs confirmation"
        LINK_OPENED = "link_opened", "link of the invitation opened"
        NEW_LINK_ASKED = "new_link_asked", "asked for a new invitation"
        FIRST_PASSWORD_MADE = "first_password_made", "first password made"  # noqa: S105
        FIRST_PASSWORD_USED = "first_password_used", "first password used"  # noqa: S105
        MAIL_REFUSED = "mail_refused", "mail refused"
        TERMS_PUBLISHED = "terms_published", "terms published"
        TERMS_ACCEPTED = "terms_accepted", "terms accepted"

    kind = models.CharField(max_length=40, choices=Kind)
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    company = models.ForeignKey(
        "companies.Company",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    about_model = models.CharField(max_length=100, blank=True)
    about_id = models.BigIntegerField(null=True, blank=True)
    about_label = models.CharField(max_length=254, blank=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    client_address = models.GenericIPAddressField(null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = "event"
        verbose_name_plural = "history"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["company", "-at", "-id"], name="audit_by_company"),
            models.Index(
                fields=["about_model", "about_id", "-id"], name="audit_by_subject"
            ),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(
                fields=["about_label", "-id"],
                condition=models.Q(about_id=None),
                name="audit_by_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about_label}"

    def who(self, reader: User) -> str:
        """The name of the actor, which operators have for each other only (T45)."""
        if self.actor is None:
            return ""
        is_hidden = self.actor.is_superuser and not reader.is_superuser
        return OPERATOR if is_hidden else str(self.actor)

    @property
    def details(self) -> list[str]:
        """The facts in words, what was before what is."""
        # PostgreSQL keeps them in an order of its own, where "after" comes first.
        facts = sorted(self.facts.items(), key=lambda fact: fact[0] == "after")
        return [f"{key.replace('_', ' ')}: {value}" for key, value in facts]

    @classmethod
    def of(
        cls,
        kind: Kind,
        actor: User | None,
        company: "Company | None",
        about: models.Model | str | None,
        facts: dict[str, Any] | None = None,
    ) -> "AuditEvent":
        """Make an event that isn't saved yet, for verbs that save many at once.

        Args:
            actor: who did it; empty for a command, the worker or a stranger.
            company: the company that it happened in, which may then read it.
            about: the row that it happened to; or the address that was tried, which
                may be nobody's.
            facts: what else a reader wants to know; never a secret.
        """
        row = about if isinstance(about, models.Model) else None
        return cls(
            kind=kind,
            actor_id=actor.pk if actor else None,
            company_id=company.pk if company else None,
            about_model=row._meta.label_lower if row else "",
            about_id=row.pk if row else None,
            about_label=str(about)[:254] if about else "",
            facts=facts or {},
            client_address=client_address.get(),
        )

    @classmethod
    def record(
        cls,
        kind: Kind,
        actor: User | None,
        company: "Company | None",
        about: models.Model | str | None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Write one event, in the transaction of the verb that calls this."""
        cls.of(kind, actor, company, about, facts).save()
