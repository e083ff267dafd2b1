"""A story in the order of time, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from audit.models import AuditEvent
from desk.repair import cause_of
from desk.story import Story
from invitations.models import Delivery

Kind = AuditEvent.Kind
State = Delivery.State

# Told by the entry and by the mails themselves, and better.
TOLD_OTHERWISE = {Kind.ENTRY_ADDED, Kind.MAIL_REFUSED}
GOOD = {Kind.INVITATION_ACCEPTED, Kind.LOGGED_IN, Kind.TERMS_ACCEPTED}
BAD = {
    *(Kind.LOG_IN_REFUSED, Kind.INVITATION_DECLINED, Kind.INVITATION_REVOKED),
    *(Kind.INVITATION_HELD, Kind.ENTRY_DEACTIVATED, Kind.GRANT_SUSPENDED),
}
# Where the kind's own name says too little, or more than a company may know: whether
# the person had a log-in before (T22).
WORDS = {
    Kind.INVITATION_ACCEPTED: "Joined, with a password of their own",
    Kind.TERMS_ACCEPTED: "Agreed to the Terms and Conditions",
}
AGREED = "Has agreed to the Terms and Conditions"
FIRST = {Kind.INVITATION_SENT, Kind.INVITATION_REMINDED}
SAYS_ALL = {*WORDS, Kind.LINK_OPENED, Kind.LOG_IN_REFUSED}


@dataclass(frozen=True)
class Moment:
    """One thing that happened, or the same several times in a row."""

    at: datetime
    words: str
    details: tuple[str, ...] = ()
    tone: str = ""  # "good" or "bad", for the mark beside it
    is_first: bool = False  # in its second
    until: datetime | None = None
    times: int = 1


def timeline(story: Story) -> list[Moment]:
    """All that the story knows, from the beginning on."""
    events = [*story.events, *story.of_account, *story.of_address]
    told = [
        beginning(story),
        *(moment for mail in story.mails for moment in of_mail(mail)),
        *(of_event(story, each) for each in events if each.kind not in TOLD_OTHERWISE),
    ]
    return list(folded(sorted(told, key=order)))


def order(moment: Moment) -> tuple[datetime, bool, datetime]:
    """The order of time; but a verb is written down after the mails that it queues."""
    return moment.at.replace(microsecond=0), not moment.is_first, moment.at


def folded(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Tell what happened again and again in a row once, with how often."""
    for _, same in groupby(moments, key=lambda moment: (moment.words, moment.details)):
        first, *others = same
        last = others[-1].at if others else None
        yield replace(first, until=last, times=1 + len(others))


def beginning(story: Story) -> Moment:
    added = [event for event in story.events if event.kind == Kind.ENTRY_ADDED]
    details = by(story, added[0]) if added else ()
    at = story.entry.created_at
    return Moment(at, "Added to the directory", details, is_first=True)


def by(story: Story, event: AuditEvent) -> tuple[str, ...]:
    """Who did it, unless it was the person whom the story is about."""
    who = event.who(story.reader)
    is_own = event.actor_id is not None and event.actor_id == story.entry.user_id
    return (f"by {who}",) if who and not is_own else ()


def of_event(story: Story, event: AuditEvent) -> Moment:
    kind = event.kind
    tone = "good" if kind in GOOD else "bad" if kind in BAD else ""
    words = WORDS.get(Kind(kind)) or event.get_kind_display()
    if kind == Kind.LINK_OPENED:
        words = of_opening(story, event)
    told = facts(event)
    if kind == Kind.INVITATION_ACCEPTED and story.has_agreed:
        told = [AGREED]
    details = (*by(story, event), *told, *origin(story, event))
    words = words[0].upper() + words[1:]
    return Moment(event.at, words, details, tone, is_first=kind in FIRST)


def of_opening(story: Story, event: AuditEvent) -> str:
    """How it looks: that it was a scanner, or was none, nobody can know."""
    words = "Link opened"
    if story.is_of_old_mail(event):
        words = "Link of an older mail opened"
    is_by_scanner = story.is_by_scanner(event)
    return f"{words}: looks like a mail scanner" if is_by_scanner else words


def facts(event: AuditEvent) -> list[str]:
    """What an event says beside its kind."""
    if event.kind in SAYS_ALL:
        return []
    is_of_invitation = {"email", "version"} <= event.facts.keys()
    return [f"to {event.facts['email']}"] if is_of_invitation else event.details


def origin(story: Story, event: AuditEvent) -> list[str]:
    """From where it was done, which operators read."""
    is_told = story.reader.is_superuser and event.client_address
    return [f"from {event.client_address}"] if is_told else []


def of_mail(mail: Delivery) -> Iterator[Moment]:
    """A mail's way, from the queue to what the mail server said."""
    kind = mail.get_kind_display()
    yield Moment(mail.created_at, f"Mail queued: {kind}", (f"to {mail.recipient}",))
    at = mail.settled_at or mail.due_at
    match mail.state:
        case State.ACCEPTED:
            yield Moment(at, "Mail accepted by the mail server", tone="good")
        case State.REFUSED:
            words = f"Mail refused by the mail server: {cause_of(mail.reason).label}"
            yield Moment(at, words, (mail.reason,), "bad")
        case State.DROPPED:
            yield Moment(at, "Mail not sent: it was no longer needed")
        case State.DEFERRED:
            times = "once" if mail.attempts == 1 else f"{mail.attempts} times"
            words = f"Mail put off {times} by the mail server, to be tried again"
            yield Moment(at, words, (mail.reason,), "bad")
