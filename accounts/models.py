"""A person's log-in: e-mail address and password. It belongs to no company."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.signing import Signer
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.addresses import CanonicalEmailField, canonical_email

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


NEWSLETTER_SIGNER = partial(Signer, salt="accounts.newsletter")
# What a User finds out about its person holds for one request (T35).
FOUND_OUT = {"kept", "is_proven"}


class UserQuerySet(models.QuerySet["User"]):
    def proven(self) -> Self:
        """Log-ins whose person has shown that they read its mailbox.

        An account made with a first password (S6) isn't proven until a mailed link was
        followed.
        """
        addresses = EmailAddress.objects.filter(
            user=OuterRef("pk"), email=OuterRef("email"), verified=True
        )
        return self.filter(Exists(addresses))

    def by_newsletter_token(self, token: str) -> "User":
        """Find whose newsletter a link unsubscribes.

        Raises:
            BadSignature: when the link was cut or altered.
        """
        return self.get(pk=NEWSLETTER_SIGNER().unsign(token))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(
        self, email: str, password: str | None = None, *, is_proven: bool, **fields: Any
    ) -> "User":
        """Make a log-in with its primary address.

        `set_password` rather than `make_password`, so that Django's `password_changed`
        hook writes the password history.

        Args:
            is_proven: whether the person has shown that they read this mailbox.

        Raises:
            ValidationError: when the address can't be used.
            IntegrityError: when it has an account already.
        """
        user = User(email=canonical_email(email), **fields)
        user.set_password(password)
        user.save_new(is_proven=is_proven)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Make an operator; whoever can run this command needs no proof by mail.

        Raises:
            ValidationError: when the address can't be used, or the password is below
                the rules (S9): Django's command doesn't ask, or asks and goes on.
        """
        if password is not None:
            validate_password(password)
        fields = {"is_staff": True, "is_superuser": True, **fields}
        return self.create_user(email, password, is_proven=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.get(email=canonical_email(username or ""))
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A log-in. No row exists before its person has joined a company (S1).

    A row without a person behind it could be claimed through the password reset, past
    the invitation and the terms. Names and telephone stand in each company's directory.
    """

    email = CanonicalEmailField("e-mail address", unique=True)
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Untick to stop anybody from logging in as this user.",
    )
    is_staff = models.BooleanField(default=False, editable=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    newsletter_since = models.DateTimeField(
        null=True, blank=True, help_text="When the person subscribed (S12)."
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    password_history: "RelatedManager[PasswordHistory]"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="accounts_user_email_lower",
            ),
            models.CheckConstraint(
                condition=models.Q(is_superuser=False) | models.Q(is_staff=True),
                name="accounts_user_superuser_is_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and commit the password history (its hook runs in here) with it."""
        self.is_staff = self.is_staff or self.is_superuser
        super().save(*args, **kwargs)

    @transaction.atomic
    def save_new(self, *, is_proven: bool) -> None:
        """Insert the log-in with its primary address, proven or not."""
        self.save(force_insert=True)
        EmailAddress.objects.create(
            user=self, email=self.email, verified=is_proven, primary=True
        )

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What was found out about this person, for as long as this object lives.

        Each request loads its User, so a change counts at the next request (T35).
        """
        return {}

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Load it again, and forget what was found out."""
        super().refresh_from_db(*args, **kwargs)
        for name in FOUND_OUT:
            self.__dict__.pop(name, None)

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled, such as for a cache: without what was found out."""
        state = super().__getstate__().items()
        return {name: value for name, value in state if name not in FOUND_OUT}

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask the backends, unless one has kept what answers for all rows of a kind."""
        answer: Callable[[Any], bool] | None = self.kept.get((perm, type(obj)))
        if answer is None:
            return super().has_perm(perm, obj)
        return self.is_active and answer(obj)

    @cached_property
    def is_proven(self) -> bool:
        """See `UserQuerySet.proven`. Each request loads its User, and so asks anew."""
        return bool(User.objects.proven().filter(pk=self.pk).exists())

    @property
    def newsletter_token(self) -> str:
        """The signed string in the link that unsubscribes; it opens nothing else."""
        return NEWSLETTER_SIGNER().sign(str(self.pk))

    def subscribe(self) -> None:
        """Keep since when the person wants the newsletter (S12)."""
        User.objects.filter(pk=self.pk, newsletter_since=None).update(
            newsletter_since=timezone.now()
        )

    def unsubscribe(self) -> None:
        User.objects.filter(pk=self.pk).update(newsletter_since=None)

    @transaction.atomic
    def change_password(self, password: str) -> list[str]:
        """Write a new password, and nothing else of a row that may have moved on (T34).

        An address that waits to be confirmed goes: whoever has added it may be the one
        whom the new password is to shut out (T36).

        Returns:
            the addresses that went.
        """
        self.set_password(password)
        self.save(update_fields=["password"])
        waiting = EmailAddress.objects.filter(user=self, verified=False, primary=False)
        emails = list(waiting.values_list("email", flat=True))
        waiting.delete()
        return emails

    def prove(self) -> bool:
        """Note that the person has followed a link that was mailed to this address.

        Returns:
            whether that is news: somebody may have proven it at this moment.
        """
        addresses = EmailAddress.objects.filter(user=self, email=self.email)
        self.__dict__.pop("is_proven", None)
        return bool(addresses.filter(verified=False).update(verified=True))


class PasswordHistoryQuerySet(models.QuerySet["PasswordHistory"]):
    def remember(self, user: User, *, keep: int) -> None:
        """Add the user's present password and drop all but the newest.

        The user's row is written first: that holds off a change running at the same
        time, also on SQLite, where `select_for_update` does nothing.
        """
        User.objects.filter(pk=user.pk).update(password=user.password)
        entries = self.filter(user=user).order_by("-sequence")
        newest = entries.values_list("sequence", flat=True).first() or 0
        self.create(user=user, sequence=newest + 1, password=user.password)
        entries.filter(sequence__lte=newest + 1 - keep).delete()


class PasswordHistory(models.Model):
    """One of the last four passwords of a user, as its hash (S9)."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="password_history",
        db_index=False,
    )
    sequence = models.PositiveIntegerField()
    password = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PasswordHistoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "password history"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "sequence"], name="accounts_passwordhistory_one_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.sequence}"
