"""The directory of a company: its people, and the firms that they work for."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower, Upper
from django.utils import timezone

from accounts.addresses import CanonicalEmailField
from accounts.models import User
from companies.conditions import current, of_company, on_directory
from companies.fields import PlainTextField
from companies.models.company import Company, OwnedByCompany
from companies.models.corrections import TAKEN
from companies.models.standing import LAST_ADMINISTRATOR, StandingQuerySet
from companies.models.templates import PermissionTemplate
from companies.tools import Level, Scope

if TYPE_CHECKING:
    from companies.models.grants import ProjectMembershipQuerySet


FOUND_AT_MOST = 500  # firms and log-ins by a word; one that fits more says nothing


class Vendor(OwnedByCompany):
    """A firm that people of the directory work for, such as a subcontractor."""

    name = PlainTextField(max_length=150)

    class Meta:
        verbose_name = "firm"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "company", Upper("name"), name="companies_vendor_name"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_vendor_of_company"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        others = Vendor.objects.filter(company=self.company_id).exclude(pk=self.pk)
        if others.filter(name__iexact=self.name).exists():
            raise ValidationError(
                {
                    "name": ValidationError(
                        "This vendor is there already.", code="unique"
                    )
                }
            )


def spellings(word: str) -> set[str]:
    """How a word may stand in a column that a database has lowered, or compares so.

    SQLite lowers ASCII only: there Özil is looked for besides, where özil is asked for.
    """
    lowered = word.lower()
    return {lowered} if word.isascii() else {word, lowered, word.capitalize()}


def any_of(lookup: str, values: Iterable[str]) -> Q:
    return reduce(or_, (Q((lookup, value)) for value in values))


def found_by(word: str, company: Company | None) -> Q:
    """What an entry has to have to be found by one word of a search.

    Firms and log-ins are looked up first: an OR over several tables uses no index.
    """
    own = {} if company is None else {"company": company}
    found = any_of("search_text__contains", spellings(word))
    firms = Vendor.objects.filter(any_of("name__icontains", spellings(word)), **own)
    if keys := list(firms.values_list("pk", flat=True)[:FOUND_AT_MOST]):
        found |= Q(vendor__in=keys)
    if "@" in word:
        renamed = Membership.objects.filter(
            user__email__startswith=word.lower(), **own
        ).order_by()
        found |= Q(pk__in=list(renamed.values_list("pk", flat=True)[:FOUND_AT_MOST]))
    return found


class MembershipQuerySet(StandingQuerySet["Membership"]):
    """What is done with many at once is in corrections.py and standing.py."""

    def current(self) -> Self:
        """People who have joined and whom nobody has deactivated."""
        return self.filter(current())

    def matching(self, search: str, company: Company | None) -> Self:
        """Those with each of the words in their name, address or firm.

        The firms are looked up first; the rest is one column, which PostgreSQL has an
        index of. A log-in that has changed its address since is found by how it begins.

        Args:
            company: whose directory is searched; empty for all.
        """
        rows = self if company is None else self.filter(of_company(company))
        for word in search.replace(",", " ").split():
            rows = rows.filter(found_by(word, company))
        return rows

    def administrators(self) -> Self:
        """Current people with Admin on the company's Directory."""
        return self.filter(on_directory(Level.ADMIN))

    def keepers(self) -> Self:
        """Administrators who may enter the desk: a first password alone lets nobody."""
        return self.administrators().filter(user__in=User.objects.proven())


class Membership(OwnedByCompany):
    """A person's place in one company's directory.

    `user` stays empty until the person has joined. Projects and permissions hang on
    this row, so they can be set before, during and after the invitation. Two companies'
    entries for one person know nothing of each other.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="memberships",
    )
    email = CanonicalEmailField("e-mail address")
    first_name = PlainTextField(max_length=150, blank=True)
    last_name = PlainTextField(max_length=150, blank=True)
    job_title = PlainTextField(max_length=150, blank=True)
    phone = PlainTextField("telephone", max_length=40, blank=True)
    vendor = models.ForeignKey(
        Vendor,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name="firm",
        help_text="The firm that the person works for; empty for your own people.",
    )
    template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        related_name="memberships",
        verbose_name="company template",
        limit_choices_to={"scope": Scope.COMPANY},
        help_text="What the person may do with the tools of the company.",
    )
    default_project_template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"scope": Scope.PROJECT, "project": None},
        help_text="What the person is given on a project where nothing else is said.",
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Untick to stop the person from reaching anything of this company.",
    )
    # What is searched, in small letters; PostgreSQL has an index of its parts.
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                *("first_name", Value(" "), "last_name", Value(" "), "email"),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    joined_at = models.DateTimeField(null=True, editable=False)

    objects = MembershipQuerySet.as_manager()
    project_memberships: "ProjectMembershipQuerySet"

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "directory"
        ordering = ["last_name", "first_name", "email", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "email"], name="companies_membership_one_per_email"
            ),
            models.UniqueConstraint(
                fields=["company", "user"], name="companies_membership_one_per_user"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_membership_of_company"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True, joined_at__isnull=True)
                | Q(user__isnull=False, joined_at__isnull=False),
                name="companies_membership_joined_with_user",
            ),
        ]
        indexes = [
            # Waiting invitations are found by the address.
            models.Index(fields=["email"], name="companies_membership_email"),
            # The directory is read in its order, a page at a time.
            models.Index(
                fields=["company", "last_name", "first_name", "email", "id"],
                name="companies_membership_order",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.address

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save.

        Raises:
            ValidationError: when the company would be left without an administrator.
        """
        if not self._state.adding and not self.would_administer():
            self.company.hold()
            if self.is_last_administrator():
                raise self.last_administrator_stays()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        self.check_address_is_free()
        if self.template_id:
            self.template.check_scope(Scope.COMPANY)
        if self.is_last_administrator() and not self.would_administer():
            raise self.last_administrator_stays()

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def address(self) -> str:
        """The log-in's address once the person has joined, until then the entry's."""
        return self.user.email if self.user else self.email

    @property
    def contact(self) -> str:
        """What tells people of one name apart: the address, and the firm."""
        parts = [self.address if self.full_name else "", str(self.vendor or "")]
        return " · ".join(filter(None, parts))

    @property
    def label(self) -> str:
        """What is read where somebody is chosen."""
        return " · ".join(filter(None, [str(self), self.contact]))

    @property
    def has_joined(self) -> bool:
        return self.user_id is not None

    def join(self, user: User, at: datetime) -> bool:
        """Give this place to a log-in, for good.

        Return whether it could be had: it is refused to an address that the entry has
        no longer, since somebody may correct or deactivate it at this moment.
        """
        free = Membership.objects.filter(
            pk=self.pk, user=None, is_active=True, email=user.email
        )
        return bool(free.update(user=user, joined_at=at))

    def check_giver(self, by: User | None) -> None:
        """Refuse a company template that the giver may not hand out; a command may all.

        Raises:
            ValidationError: with the reason.
        """
        if by and not by.has_perm("companies.add_membership", self):
            raise ValidationError(
                f"You may not hand out {self.template}.", code="may_not_hand_out"
            )

    def check_address_is_free(self) -> None:
        """Refuse an address that stands in this directory already.

        The log-in of somebody who has joined counts, whatever their entry says. Theirs
        is their own: the directory can't correct it, so there is nothing to refuse.
        """
        if self.has_joined:
            return
        others = Membership.objects.filter(company=self.company_id).exclude(pk=self.pk)
        if others.filter(Q(email=self.email) | Q(user__email=self.email)).exists():
            raise ValidationError({"email": ValidationError(TAKEN, code="unique")})

    def is_last_administrator(self) -> bool:
        """Whether the company as stored has this administrator and no other."""
        stored = Membership.objects.keepers().filter(company=self.company_id)
        return set(stored.values_list("pk", flat=True)[:2]) == {self.pk}

    def would_administer(self) -> bool:
        """Whether the entry, as it stands here, makes an administrator."""
        return self.is_active and self.has_joined and self.template.makes_administrator

    def last_administrator_stays(self) -> ValidationError:
        return ValidationError(LAST_ADMINISTRATOR, code="last_administrator")
