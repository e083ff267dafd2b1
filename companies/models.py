"""Companies, their directories and projects, and who may see which of them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.addresses import CanonicalEmailField
from accounts.models import User
from companies.fields import PlainTextField
from companies.tools import SHIPPED, TOOLS, CompanyTool, Level, ProjectTool, Scope

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

type AnyUser = User | AnonymousUser


class CompanyQuerySet(models.QuerySet["Company"]):
    def visible_to(self, user: AnyUser) -> Self:
        """The companies that a person may pick at log-in (S4, S7)."""
        return self.filter(
            Exists(
                Membership.objects.current().filter(
                    company=OuterRef("pk"), user=user.pk
                )
            ),
            is_active=True,
        )

    def administered_by(self, user: AnyUser) -> Self:
        """The companies whose directory a person keeps.

        An account that was made with a first password keeps none until it is proven.
        """
        administrators = Membership.objects.administrators()
        return self.filter(
            Exists(administrators.filter(company=OuterRef("pk"), user=user.pk)),
            Exists(User.objects.proven().filter(pk=user.pk)),
            is_active=True,
        )


class Company(models.Model):
    """A company with an active account: every person's account comes from one (S1)."""

    name = PlainTextField(max_length=150)
    slug = models.SlugField(
        max_length=60,
        unique=True,
        blank=True,
        help_text="Stands in addresses. Made from the name when it is left empty.",
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Without it nobody reaches the company or accepts its invitations.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CompanyQuerySet.as_manager()
    permissiontemplates: "RelatedManager[PermissionTemplate]"

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
            PermissionTemplate.objects.ship(self)

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
        return Membership.objects.filter(company=self, user=user).exists()

    def hold(self) -> None:
        """Hold off other transactions that hold this company, until this one ends.

        A write, since `select_for_update` does nothing on SQLite.
        """
        Company.objects.filter(pk=self.pk).update(slug=F("slug"))


class OwnedByCompany(models.Model):
    """A row of one company: it never moves, and refers only to rows of that company.

    PostgreSQL holds the references by composite foreign keys; here they are checked for
    SQLite, and so that a form can say it in a sentence.
    """

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, editable=False, related_name="%(class)ss"
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
            for field in self._meta.concrete_fields
            if field.is_relation
            and isinstance(field.related_model, type)
            and issubclass(field.related_model, OwnedByCompany)
            and getattr(self, field.attname) is not None
            and getattr(self, field.name).company_id != self.company_id
        ]


class Vendor(OwnedByCompany):
    """A firm that people of the directory work for, such as a subcontractor."""

    name = PlainTextField(max_length=150)

    class Meta:
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


class PermissionTemplateQuerySet(models.QuerySet["PermissionTemplate"]):
    def ship(self, company: Company) -> None:
        """Give a new company the templates that everybody begins with."""
        templates = self.bulk_create(
            PermissionTemplate(company=company, name=name, scope=scope)
            for name, scope, _, _ in SHIPPED
        )
        PermissionLevel.objects.bulk_create(
            PermissionLevel(
                template=template, tool=tool, level=exceptions.get(tool, level)
            )
            for template, (_, scope, level, exceptions) in zip(
                templates, SHIPPED, strict=True
            )
            for tool in TOOLS[scope].values
        )


class PermissionTemplate(OwnedByCompany):
    """A named set of levels, for the company's tools or for a project's."""

    name = PlainTextField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope)

    objects = PermissionTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["scope", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "company", Upper("name"), name="companies_permissiontemplate_name"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_permissiontemplate_of_company"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PermissionLevel(models.Model):
    """The level that a template gives on one tool."""

    template = models.ForeignKey(
        PermissionTemplate, on_delete=models.CASCADE, related_name="levels"
    )
    tool = models.CharField(max_length=20)
    level = models.PositiveSmallIntegerField(choices=Level)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template", "tool"],
                name="companies_permissionlevel_one_per_tool",
            ),
            models.CheckConstraint(
                condition=Q(level__range=(Level.NONE, Level.ADMIN)),
                name="companies_permissionlevel_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tool_label()}: {self.get_level_display()}"

    def get_tool_label(self) -> str:
        return str(TOOLS[self.template.scope](self.tool).label)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(self) -> Self:
        """People who have joined and whom nobody has deactivated."""
        return self.filter(is_active=True, user__is_active=True)

    def administrators(self) -> Self:
        """Current people with Admin on the company's Directory."""
        levels = PermissionLevel.objects.filter(
            template=OuterRef("template"),
            template__scope=Scope.COMPANY,
            tool=CompanyTool.DIRECTORY,
            level=Level.ADMIN,
        )
        return self.current().filter(Exists(levels))

    def invitable_by(self, user: User) -> Self:
        """The entries whose templates a person may hand out.

        Company administrators hand out all templates of their company.
        """
        if user.is_superuser and user.is_active:
            return self
        return self.filter(company__in=Company.objects.administered_by(user))


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
        help_text="The firm that the person works for; empty for your own people.",
    )
    template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        verbose_name="company template",
        limit_choices_to={"scope": Scope.COMPANY},
        help_text="What the person may do with the tools of the company.",
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Without it the person reaches nothing of this company.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    joined_at = models.DateTimeField(null=True, editable=False)

    objects = MembershipQuerySet.as_manager()
    project_memberships: "RelatedManager[ProjectMembership]"

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
        # Waiting invitations are found by the address.
        indexes = [models.Index(fields=["email"], name="companies_membership_email")]

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
    def has_joined(self) -> bool:
        return self.user_id is not None

    def join(self, user: User, at: datetime) -> None:
        """Give this place to a log-in, for good."""
        rows = Membership.objects.filter(pk=self.pk, user=None)
        rows.update(user=user, joined_at=at, email=user.email)

    def check_address_is_free(self) -> None:
        """Refuse an address that stands in this directory already.

        The log-in of somebody who has joined counts, whatever their entry says. Theirs
        is their own: the directory can't correct it, so there is nothing to refuse.
        """
        if self.has_joined:
            return
        others = Membership.objects.filter(company=self.company_id).exclude(pk=self.pk)
        if others.filter(Q(email=self.email) | Q(user__email=self.email)).exists():
            raise ValidationError(
                {
                    "email": ValidationError(
                        "This address is in your directory already.", code="unique"
                    )
                }
            )

    def is_last_administrator(self) -> bool:
        """Whether the company as stored has this administrator and no other."""
        stored = Membership.objects.administrators().filter(company=self.company_id)
        return set(stored.values_list("pk", flat=True)[:2]) == {self.pk}

    def would_administer(self) -> bool:
        """Whether the entry, as it stands here, makes an administrator."""
        return (
            self.is_active
            and self.has_joined
            and self.template.levels.filter(
                tool=CompanyTool.DIRECTORY, level=Level.ADMIN
            ).exists()
        )

    def last_administrator_stays(self) -> ValidationError:
        return ValidationError(
            "This is the company's only administrator. Make somebody else an "
            "administrator first.",
            code="last_administrator",
        )


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: AnyUser, today: date) -> Self:
        """The projects that were granted to a person (S4), or that they administer."""
        administers = (
            Membership.objects.administrators().filter(user=user.pk).values("company")
        )
        granted = ProjectMembership.objects.open_on(today).filter(
            membership__in=Membership.objects.current().filter(user=user.pk)
        )
        return self.filter(
            Q(pk__in=granted.values("project")) | Q(company__in=administers),
            is_active=True,
            company__is_active=True,
        )


class Project(OwnedByCompany):
    """A construction project of one company."""

    name = PlainTextField(max_length=150)
    number = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^(?=.*[A-Za-z0-9])[A-Za-z0-9._-]+\Z",
                "Use letters, digits, dots, dashes and underscores.",
            )
        ],
        help_text="Stands in addresses and lists, such as 24-017.",
    )
    city = PlainTextField(max_length=100, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Without it only this list shows the project."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "company", Upper("number"), name="companies_project_number"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_project_of_company"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("companies:project", args=[self.company.slug, self.number])

    def clean(self) -> None:
        super().clean()
        others = Project.objects.filter(company=self.company_id).exclude(pk=self.pk)
        if others.filter(number__iexact=self.number).exists():
            raise ValidationError(
                {
                    "number": ValidationError(
                        "Another project has this number.", code="unique"
                    )
                }
            )


class ProjectMembershipQuerySet(models.QuerySet["ProjectMembership"]):
    def open_on(self, day: date) -> Self:
        """Grants that hold on this day: within first and last day, not suspended."""
        return self.filter(
            Q(starts_on=None) | Q(starts_on__lte=day),
            Q(ends_on=None) | Q(ends_on__gte=day),
            suspended_at=None,
        )

    def levels(self, user: AnyUser, project: Project, day: date) -> dict[str, int]:
        """The level that a person has on each tool of a project on a day.

        Admin on its Directory is Admin on all of its tools, and so is being an
        administrator of the company.
        """
        granted = self.open_on(day).filter(
            project=project,
            membership__in=Membership.objects.current().filter(user=user.pk),
        )
        rows = PermissionLevel.objects.filter(template__in=granted.values("template"))
        levels = dict(rows.values_list("tool", "level"))
        administers = Membership.objects.administrators().filter(
            company=project.company_id, user=user.pk
        )
        if levels.get(ProjectTool.DIRECTORY) == Level.ADMIN or administers.exists():
            return dict.fromkeys(ProjectTool.values, int(Level.ADMIN))
        return levels

    def not_over(self, day: date) -> Self:
        """Grants that hold on this day or will hold later."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), suspended_at=None)


class ProjectMembership(OwnedByCompany):
    """One person on one project: with which template, from when, until when."""

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="project_memberships"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="project_memberships"
    )
    template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        verbose_name="project template",
        limit_choices_to={"scope": Scope.PROJECT},
    )
    starts_on = models.DateField("first day", null=True, blank=True)
    ends_on = models.DateField("last day", null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = PlainTextField(max_length=200, blank=True)

    objects = ProjectMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "project of the person"
        verbose_name_plural = "projects of the person"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "membership"],
                name="companies_projectmembership_once",
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None)
                | Q(ends_on=None)
                | Q(ends_on__gte=F("starts_on")),
                name="companies_projectmembership_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at=None, suspension_reason="")
                | (Q(suspended_at__isnull=False) & ~Q(suspension_reason="")),
                name="companies_projectmembership_suspended_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} on {self.project}"

    def clean(self) -> None:
        super().clean()
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError(
                {
                    "ends_on": ValidationError(
                        "The last day can't be before the first.", code="days_reversed"
                    )
                }
            )
