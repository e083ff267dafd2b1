"""Mails that did not arrive: which, why in words, and what was perhaps meant.

Servers say why in codes (RFC 3463, RFC 5321) and in words of their own. The codes are
told in ours; theirs stand below.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches

from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery, Value
from django.db.models.functions import StrIndex, Substr

from companies.models import Company, Membership
from invitations.models import Delivery, Invitation
from invitations.tasks import SERVER_FAILED

State = Delivery.State

# So long a mail may be put off, as by a server that wants it to be sent twice.
PATIENCE = timedelta(hours=4)
DOMAINS_COMPARED = 200
COMMON_DOMAINS = [
    *("aol.com", "bluewin.ch", "comcast.net", "freenet.de", "gmail.com", "gmx.at"),
    *("gmx.ch", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com"),
    *("live.com", "msn.com", "outlook.com", "outlook.de", "protonmail.com"),
    *("t-online.de", "verizon.net", "web.de", "yahoo.com", "yahoo.de"),
]
ALIKE = 0.8

ENHANCED = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
REPLY = re.compile(r"[45]\d\d\b")


class Cause(models.TextChoices):
    """Why a mail did not arrive, as far as the server says it."""

    MAILBOX = "mailbox", "mailbox unknown"
    DOMAIN = "domain", "domain unknown"
    FULL = "full", "mailbox full"
    POLICY = "policy", "refused by the rules of the receiver"
    UNREACHABLE = "unreachable", "receiving server not reached"
    OWN_SERVER = "own_server", "our own mail server could not be used"
    OTHER = "other", "refused for another reason"

    @property
    def is_of_address(self) -> bool:
        """Whether another address is the remedy."""
        return self in (Cause.MAILBOX, Cause.DOMAIN)


# The subject and detail of an enhanced code, or its subject alone.
BY_ENHANCED_CODE = {
    "1.2": Cause.DOMAIN,
    "1.10": Cause.DOMAIN,  # the domain takes no mail at all (RFC 7505)
    "4.4": Cause.DOMAIN,
    "2.2": Cause.FULL,
    "1": Cause.MAILBOX,
    "2": Cause.MAILBOX,
    "4": Cause.UNREACHABLE,
    "7": Cause.POLICY,
}
# Of servers that give no such code.
BY_REPLY = {
    "450": Cause.UNREACHABLE,
    "451": Cause.UNREACHABLE,
    "452": Cause.FULL,
    "550": Cause.MAILBOX,
    "551": Cause.MAILBOX,
    "552": Cause.FULL,
    "553": Cause.MAILBOX,
    "554": Cause.POLICY,
}


def cause_of(reason: str) -> Cause:
    """Tell in one word what a server's answer means."""
    if reason.startswith(SERVER_FAILED):
        return Cause.OWN_SERVER
    if code := ENHANCED.search(reason):
        detailed = code[1]
        subject, _, _ = detailed.partition(".")
        return BY_ENHANCED_CODE.get(
            detailed, BY_ENHANCED_CODE.get(subject, Cause.OTHER)
        )
    reply = REPLY.match(reason)
    return BY_REPLY.get(reply[0], Cause.OTHER) if reply else Cause.OTHER


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def failed_mails(company: Company | None, now: datetime) -> models.QuerySet[Delivery]:
    """The newest mail of each open invitation that has not arrived, newest first.

    Args:
        company: whose invitations; None for an operator who looks at all.
    """
    newest = Delivery.objects.filter(invitation=OuterRef("invitation")).order_by("-pk")
    mails = Delivery.objects.filter(
        Q(state=State.REFUSED) | Q(state=State.DEFERRED, created_at__lt=now - PATIENCE),
        pk=Subquery(newest.values("pk")[:1]),
        invitation__state=Invitation.State.PENDING,
        invitation__membership__is_active=True,
        invitation__membership__user=None,
    )
    if company:
        mails = mails.filter(invitation__company=company)
    return mails.order_by("-pk")


@dataclass
class Group:
    """People at one domain whose mail has failed for one reason."""

    domain: str
    cause: Cause
    words: str = ""  # the server's own, of the newest
    mails: list[Delivery] = field(default_factory=list)

    @property
    def label(self) -> str:
        count = len(self.mails)
        people = "1 person" if count == 1 else f"{count} people"
        return f"{people} at {self.domain}: {self.cause.label}"

    @property
    def query(self) -> dict[str, str]:
        """What an address has to say to mean this group."""
        return {"domain": self.domain, "cause": self.cause.value}


def grouped(mails: Iterable[Delivery]) -> list[Group]:
    """Sort failed mails by receiving domain and cause, the largest group first."""
    groups: dict[tuple[str, Cause], Group] = {}
    for mail in mails:
        key = domain_of(mail.recipient), cause_of(mail.reason)
        group = groups.setdefault(key, Group(*key, words=mail.reason))
        group.mails.append(mail)
    return sorted(groups.values(), key=lambda group: -len(group.mails))


def known_domains(company: Company | None) -> list[str]:
    """Domains that were perhaps meant: those of the joined, and what many have."""
    at = StrIndex("email", Value("@"))
    joined = Membership.objects.filter(user__isnull=False)
    if company:
        joined = joined.filter(company=company)
    domains = joined.annotate(domain=Substr("email", at + 1)).order_by()
    counted = domains.values("domain").annotate(people=Count("pk")).order_by("-people")
    own = counted.values_list("domain", flat=True)[:DOMAINS_COMPARED]
    return [*own, *COMMON_DOMAINS]


def guess(domain: str, known: list[str]) -> str:
    """The known domain that this one looks like a misspelling of, or nothing."""
    if domain in known:
        return ""
    return next(iter(get_close_matches(domain, known, n=1, cutoff=ALIKE)), "")
