"""A company, and what it means that a row belongs to one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, F
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from companies.conditions import current, on_directory
from companies.fields import PlainTextField
from companies.tools import CompanyKind, Level

if TYPE_CHECKING:
    from companies.models.directory import MembershipQuerySet
    from companies.models.templates import PermissionTemplateQuerySet

type AnyUser = User | AnonymousUser


class CompanyQuerySet(models.QuerySet["Company"]):
    def visible_to(self, user: AnyUser) -> Self:
        """The companies that a person may pick at log-in (S4, S7)."""
        # One entry per company and person: the join doubles no row.
        return self.filter(
            current("memberships__"), memberships__user=user.pk, is_active=True
        )

    def with_directory(self, user: AnyUser, level: int = Level.READ_ONLY) -> Self:
        """The companies whose desk a person may enter, with at least this level.

        An account that was made with a first password enters none until it is proven.
        """
        return self.filter(
            on_directory(level, "memberships__"),
            Exists(User.objects.proven().filter(pk=user.pk)),
            memberships__user=user.pk,
            is_active=True,
        )

    def hold(self, keys: Iterable[int]) -> None:
        """Hold off other transactions that hold these companies, until this one ends.

        Always in the same order: two of them never wait for each other. A write, since
        `select_for_update` does nothing on SQLite.
        """
        for key in sorted(set(keys)):
            self.filter(pk=key).update(slug=F("slug"))


class Company(models.Model):
    """A company with an active account: every person's account comes from one (S1)."""

    name = PlainTextField(max_length=150)
    slug = models.SlugField(
        max_length=60,
        unique=True,
        blank=True,
        help_text="Used in web addresses. Made from the name when left empty.",
    )
    kind = models.CharField(
        max_length=20,
        choices=CompanyKind,
        default=CompanyKind.GENERAL_CONTRACTOR,
        help_text="Decides with which templates a new company begins.",
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Untick to stop anybody from reaching the company or accepting its "
        "invitations.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CompanyQuerySet.as_manager()
    memberships: "MembershipQuerySet"
    permissiontemplates: "PermissionTemplateQuerySet"

    class Meta:
        verbose_name_plural = "companies"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new company begins with the shipped set of templates."""
        is_new = self._state.adding
        self.slug = self.slug or self.free_slug()
        super().save(*args, **kwargs)
        if is_new:
            self.permissiontemplates.ship(self)

    def get_absolute_url(self) -> str:
        return reverse("companies:company", args=[self.slug])

    def free_slug(self) -> str:
        stem = slugify(self.name)[:50] or "company"
        taken = set(
            Company.objects.filter(slug__startswith=stem).values_list("slug", flat=True)
        )
        candidates = [stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))]
        return next(slug for slug in candidates if slug not in taken)

    def has_member(self, user: User) -> bool:
        """Whether a person has joined, also when they are deactivated by now."""
        return self.memberships.filter(user=user).exists()

    def hold(self) -> None:
        """Hold off other transactions that hold this company, until this one ends."""
        Company.objects.hold([self.pk])


class OwnedByCompany(models.Model):
    """A row of one company: it never moves, and refers only to rows of that company.

    PostgreSQL holds the references by composite foreign keys; here they are checked for
    SQLite, and so that a form can say it in a sentence.
    """

    company = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        editable=False,
        related_name="%(class)ss",
        # Where rows are found by it, a wider index begins with it: test_indexes.
        db_index=False,
    )

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save.

        Raises:
            ValidationError: when it would leave its company or refer to another's.
        """
        stored = getattr(self, "_stored_company_id", None)
        if stored is not None and stored != self.company_id:
            raise ValidationError(
                "An entry can't be moved to another company.", code="company_changed"
            )
        if self.foreign_references():
            raise ValidationError(
                "An entry can refer to its own company only.", code="other_company"
            )
        super().save(*args, **kwargs)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row.__dict__["_stored_company_id"] = row.__dict__.get("company_id")
        return row

    def clean(self) -> None:
        if foreign := self.foreign_references():
            raise ValidationError(
                {
                    name: ValidationError(
                        "Choose one of this company.", code="other_company"
                    )
                    for name in foreign
                }
            )

    def foreign_references(self) -> list[str]:
        """Name the fields that refer to a row of another company."""
        return [
            field.name
            for field in self.references()
            if getattr(self, field.attname) is not None
            and getattr(self, field.name).company_id != self.company_id
        ]

    @classmethod
    def references(cls) -> "list[models.Field[Any, Any]]":
        """The fields that refer to other rows of the same company."""
        return [
            field
            for field in cls._meta.concrete_fields
            if field.is_relation
            and isinstance(field.related_model, type)
            and issubclass(field.related_model, OwnedByCompany)
        ]
