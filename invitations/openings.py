"""What is kept of each opening of a link in a mail: the only thing that it writes (T1).

Mail scanners open links before their reader does, so an opening proves nothing. Who
helps somebody who can't get in reads how often it was, and what looks like a scanner.
"""

from datetime import datetime, timedelta

from django.http import HttpRequest

from audit.models import AuditEvent
from invitations.models import Invitation

# Enough to tell a story; whoever goes on opening a link writes nothing any more.
KEPT_PER_VERSION = 50
AGENT_LENGTH = 200
# A person takes longer to read the mail than a scanner does.
AT_ONCE = timedelta(seconds=10)
# A browser says Mozilla. The others stand in the agents of scanners that say it too.
BROWSER = "mozilla"
SCANNERS = (
    *("barracuda", "bot", "cisco", "crawl", "curl", "forcepoint", "headless"),
    *("ironport", "microsoft office", "mimecast", "phantom", "preview", "proofpoint"),
    *("python", "safelinks", "scan", "sophos", "spider", "symantec", "trendmicro"),
    *("urldefense", "wget"),
)


def record_opening(request: HttpRequest, invitation: Invitation, version: int) -> None:
    """Write down that a link of this version was opened, whether it works or not."""
    kind = AuditEvent.Kind.LINK_OPENED
    kept = AuditEvent.objects.about(invitation.membership).filter(
        kind=kind, facts__version=version, at__gte=invitation.created_at
    )
    if kept[:KEPT_PER_VERSION].count() == KEPT_PER_VERSION:
        return
    facts = {
        "version": version,
        "method": request.method,
        "agent": plain(request.headers.get("User-Agent", "")),
    }
    AuditEvent.record(kind, None, invitation.company, invitation.membership, facts)


def plain(agent: str) -> str:
    """What a program says that it is, without what no database or reader takes."""
    return "".join(filter(str.isprintable, agent))[:AGENT_LENGTH]


def looks_like_scanner(event: AuditEvent, mailed_at: datetime | None) -> bool:
    """Whether a program seems to have opened the link, and not its reader.

    Args:
        mailed_at: when the mail server had taken the mail.
    """
    agent = str(event.facts["agent"]).lower()
    return (
        event.facts["method"] == "HEAD"
        or BROWSER not in agent
        or any(word in agent for word in SCANNERS)
        or (mailed_at is not None and event.at - mailed_at < AT_ONCE)
    )
