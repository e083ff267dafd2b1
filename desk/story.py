"""What is known of somebody on the way in, as far as the reader may know it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent, AuditEventQuerySet
from companies.explanations import Explainer, explain_grants, grants_of, spoken
from companies.models import Project, ProjectMembership
from companies.models.grants import GrantState
from desk.repair import PATIENCE, cause_of
from desk.status import Status
from desk.steps import Finding, Situation, find
from invitations.emails import moment
from invitations.models import Delivery, Invitation, Terms
from invitations.openings import looks_like_scanner

Kind = AuditEvent.Kind

# The newest of each: a story is read by a person.
EVENTS_TOLD = 300
MAILS_TOLD = 100
LOG_INS_TOLD = 30
SOON = timedelta(days=1)


class Story:
    """The rows that help to find out why somebody can't get in, and what they say.

    Args:
        entry: as `with_status` gives it.
    """

    def __init__(self, entry: Any, reader: User) -> None:
        self.entry = entry
        self.reader = reader
        self.now = timezone.now()
        self.today = timezone.localdate(self.now)

    # What is there to read, each in the order in which it happened

    @cached_property
    def events(self) -> list[AuditEvent]:
        """What happened to the entry, which is its company's alone."""
        return newest(AuditEvent.objects.about(self.entry), EVENTS_TOLD)

    @cached_property
    def mails(self) -> list[Delivery]:
        mails = Delivery.objects.filter(invitation__membership=self.entry)
        return list(mails.order_by("-pk")[:MAILS_TOLD])[::-1]

    @cached_property
    def of_account(self) -> list[AuditEvent]:
        """What was done with the log-in, which is nobody's business but operators'.

        It belongs to the person, who may have had it before, and uses it for other
        companies: when would tell a company of them (T22, T45).
        """
        if self.entry.user is None or not self.reader.is_superuser:
            return []
        return newest(AuditEvent.objects.about(self.entry.user), LOG_INS_TOLD)

    @cached_property
    def of_address(self) -> list[AuditEvent]:
        """What was tried with the address: perhaps by others, perhaps without one.

        A company begins to know with the day of joining, and follows nobody who is not
        active there any more. That somebody was refused tells of no other company:
        anybody may try any address.
        """
        entry = self.entry
        events = AuditEvent.objects.about_address(entry.address)
        if not self.reader.is_superuser:
            if entry.user is None or not entry.is_active:
                return []
            events = events.filter(at__gte=entry.joined_at, kind=Kind.LOG_IN_REFUSED)
        return newest(events, LOG_INS_TOLD)

    @cached_property
    def has_agreed(self) -> bool | None:
        """Whether the person has agreed to the terms of today; None if there are none.

        As it stands and without a day, which may lie before the invitation (T22).
        """
        return Terms.objects.are_accepted_by(self.entry.user)

    @cached_property
    def projects(self) -> list[tuple[Project, Explainer]]:
        return explain_grants(self.entry, grants_of(self.entry))

    @cached_property
    def invitation(self) -> Invitation | None:
        """The newest one."""
        key = self.entry.invitation_id
        return Invitation.objects.get(pk=key) if key else None

    @cached_property
    def mail(self) -> Delivery | None:
        """The newest one with the link that works, or would."""
        invitation = self.invitation
        for mail in reversed(self.mails):
            if invitation and mail.invitation_id == invitation.pk:
                return mail if mail.version == invitation.version else None
        return None

    # Openings of the link

    def is_of_old_mail(self, opening: AuditEvent) -> bool:
        """Whether the link that was opened is not the one that works now, or would."""
        invitation = self.invitation
        return invitation is not None and (
            opening.at < invitation.created_at
            or opening.facts["version"] != invitation.version
        )

    def is_by_scanner(self, opening: AuditEvent) -> bool:
        taken = (
            mail.settled_at
            for mail in self.mails
            if mail.settled_at
            and mail.settled_at <= opening.at
            and mail.state == Delivery.State.ACCEPTED
            and mail.version == opening.facts["version"]
        )
        return looks_like_scanner(opening, max(taken, default=None))

    def openings(self) -> Iterator[AuditEvent]:
        """Those since it was sent that don't look like a scanner's."""
        for event in self.events:
            is_new = self.invitation and event.at >= self.invitation.sent_at
            is_opening = event.kind == Kind.LINK_OPENED
            if is_opening and is_new and not self.is_by_scanner(event):
                yield event

    # What follows from it

    @cached_property
    def finding(self) -> Finding:
        return find(self.situation)

    @property
    def answer(self) -> str:
        """Why the person can't get in, in one sentence."""
        return self.finding.sentence.format(
            person=self.entry,
            company=self.entry.company,
            cause=cause_of(self.mail.reason).label if self.mail else "",
            until=moment(self.invitation.expires_at) if self.invitation else "",
            begins=spoken(self.begins_on) if self.begins_on else "",
        )

    @property
    def situation(self) -> Situation:
        """What the next step depends on."""
        entry = self.entry
        return Situation(
            status=Status(entry.status),
            is_company_active=entry.company.is_active,
            **(self.inside if entry.user else self.outside),
        )

    @property
    def inside(self) -> dict[str, Any]:
        """Of somebody who has joined."""
        entry = self.entry
        is_open = any(explainer.is_open for _, explainer in self.projects)
        refused = [e.at for e in self.of_address if e.kind == Kind.LOG_IN_REFUSED]
        return {
            "is_log_in_active": entry.user.is_active,
            "has_agreed": self.has_agreed is not False,
            "is_refused": bool(refused) and max(refused) > self.got_in_at,
            "sees_project": is_open or entry.template.makes_administrator,
            **self.on_projects,
        }

    @property
    def on_projects(self) -> dict[str, bool]:
        """What keeps from projects somebody who is on them; over is over."""
        states = {grant.state_on(self.today) for grant in self.grants(is_active=True)}
        closed = self.grants(is_active=False)
        return {
            "begins_later": GrantState.NOT_BEGUN in states,
            "is_suspended": GrantState.SUSPENDED in states
            and not self.entry.template.makes_administrator,
            "is_project_closed": any(
                grant.state_on(self.today) != GrantState.OVER for grant in closed
            ),
        }

    @property
    def begins_on(self) -> date | None:
        """The first day on a project, for somebody who has not begun."""
        days = (
            grant.starts_on
            for grant in self.grants(is_active=True)
            if grant.state_on(self.today) == GrantState.NOT_BEGUN and grant.starts_on
        )
        return min(days, default=None)

    def grants(self, *, is_active: bool) -> list[ProjectMembership]:
        """Those on projects that are active, or are not."""
        return [
            explainer.grant
            for project, explainer in self.projects
            if explainer.grant and project.is_active == is_active
        ]

    @property
    def got_in_at(self) -> datetime:
        """When a log-in worked last; without one, when the person joined."""
        events = AuditEvent.objects.about(self.entry.user).filter(kind=Kind.LOGGED_IN)
        last = events.order_by("-id").first()
        joined_at: datetime = self.entry.joined_at
        return max(last.at, joined_at) if last else joined_at

    @property
    def outside(self) -> dict[str, Any]:
        """Of somebody who hasn't joined."""
        old = [self.is_of_old_mail(opening) for opening in self.openings()]
        opened = {"is_opened": False in old, "is_old_link_opened": True in old}
        has_terms = {"has_terms": Terms.objects.exists()}
        return has_terms | opened | self.of_invitation | self.of_mail

    @property
    def of_invitation(self) -> dict[str, Any]:
        invitation = self.invitation
        if invitation is None:
            return {}
        return {
            "has_first_password": invitation.has_first_password,
            "is_fresh": self.now < invitation.sent_at + SOON,
            "expires_soon": self.now > invitation.expires_at - SOON,
        }

    @property
    def of_mail(self) -> dict[str, Any]:
        mail = self.mail
        if mail is None:
            return {}
        return {
            "mail": mail.state,
            "cause": cause_of(mail.reason),
            "is_mail_late": mail.is_late,
            "is_overdue": self.now > mail.created_at + PATIENCE,
        }


def newest(events: AuditEventQuerySet, number: int) -> list[AuditEvent]:
    """The newest of these, the oldest of them first."""
    return list(events.select_related("actor").order_by("-id")[:number])[::-1]
