"""The terms that everybody agrees to before they get in."""

import hashlib
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from audit.models import AppendOnly, AppendOnlyQuerySet, AuditEvent, client_address
from companies.fields import PlainTextField
from companies.models import AnyUser


class TermsQuerySet(AppendOnlyQuerySet["Terms"]):
    def current(self) -> "Terms | None":
        return self.order_by("-pk").first()

    def are_accepted_by(self, user: AnyUser) -> bool | None:
        """Whether a person has agreed to the newest terms; None if there are none."""
        accepted = TermsAcceptance.objects.filter(terms=OuterRef("pk"), user=user.pk)
        newest = self.order_by("-pk").annotate(is_accepted=Exists(accepted))
        return newest.values_list("is_accepted", flat=True).first()

    def agreed_to_by(self, user: User) -> "Terms | None":
        """The newest version that a person has agreed to, current or not."""
        return self.filter(acceptances__user=user).order_by("-pk").first()

    @transaction.atomic
    def publish(self, version: str, text: str, by: User | None) -> "Terms":
        """Publish a version: everybody is asked again at their next request.

        Its name is kept as a form gives it back, or nobody could agree to it.

        Raises:
            ValidationError: when the version is there already or not a line of plain
                text, or the text is empty.
        """
        terms = Terms(version=version.strip(), text=text)
        terms.full_clean()
        terms.save()
        AuditEvent.record(AuditEvent.Kind.TERMS_PUBLISHED, by, None, terms)
        return terms


class Terms(AppendOnly):
    """One published version of the Terms and Conditions (S14). It never changes."""

    version = PlainTextField(
        max_length=40,
        unique=True,
        error_messages={"unique": "This version is published already: name a new one."},
    )
    text = models.TextField(help_text="Plain text; an empty line begins a paragraph.")
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    published_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = "terms"
        verbose_name_plural = "terms"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Terms and Conditions {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = self.digest
        super().save(*args, **kwargs)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @transaction.atomic
    def accept(self, user: User) -> None:
        """Note that a person has agreed; agreeing twice changes nothing."""
        _, is_new = TermsAcceptance.objects.get_or_create(
            terms=self, user=user, defaults={"client_address": client_address.get()}
        )
        if is_new:
            facts = {"version": self.version, "sha256": self.sha256}
            AuditEvent.record(AuditEvent.Kind.TERMS_ACCEPTED, user, None, user, facts)


class TermsAcceptance(AppendOnly):
    """A person has agreed to one version of the terms: when, and from where."""

    terms = models.ForeignKey(
        Terms, on_delete=models.PROTECT, related_name="acceptances"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="acceptances",
        db_index=False,
    )
    accepted_at = models.DateTimeField(default=timezone.now, editable=False)
    client_address = models.GenericIPAddressField(null=True, blank=True)

    objects = AppendOnlyQuerySet["TermsAcceptance"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "terms"], name="invitations_termsacceptance_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.terms}"
