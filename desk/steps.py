"""Why somebody can't get in, in one sentence, and the one step that helps next."""

from dataclasses import dataclass
from enum import Enum

from desk.repair import Cause
from desk.status import Status
from invitations.models import Delivery

State = Delivery.State


@dataclass(frozen=True)
class Step:
    """What to do next: an action of the directory, a look at the form, or words alone.

    Args:
        permission: which admins ask for: "invite" or "change"; none for words alone.
        action: of the directory; without one the step leads to the person's form, or
            to what it is about.
    """

    label: str
    permission: str = ""
    action: str = ""


INVITE = Step("Invite", "invite", "invite")
SEND_AGAIN = Step("Send the invitation again", "invite", "send_again")
CONFIRM = Step("Confirm: send the invitation again", "invite", "send_again")
EXTEND = Step("Extend the invitation", "invite", "extend")
LIFT = Step("Lift the suspension", "change")
OPEN_PROJECT = Step("Reactivate a project, or add the person to another one.")
ADD_TO_PROJECT = Step("Add to a project", "invite", "add_to_project")
REACTIVATE = Step("Reactivate", "change", "reactivate")
CORRECT = Step("Correct the address", "change")
ASK_OPERATOR = Step("Ask the operator.")
TELL = Step("Tell the person; there is nothing else to do here.")
WAIT = Step("Wait; there is nothing to do here.")
NOTHING = Step("There is nothing to do.")

# What helps whatever else is known; a story is longer, and may know better.
STEPS: dict[str, Step] = {
    Status.NOT_INVITED: INVITE,
    Status.REVOKED: INVITE,
    Status.DECLINED: INVITE,
    Status.ADDRESS_CORRECTED: SEND_AGAIN,
    Status.NEEDS_CONFIRMATION: CONFIRM,
    Status.NEW_LINK_ASKED: SEND_AGAIN,
    Status.EXPIRED: SEND_AGAIN,
    Status.INACTIVE: REACTIVATE,
}


@dataclass(frozen=True)
class Situation:
    """What the next step depends on: of everything that is known about somebody."""

    status: Status
    is_company_active: bool = True
    # Of somebody who hasn't joined.
    has_terms: bool = True
    has_first_password: bool = False
    mail: str | None = None  # the state of the newest one
    cause: Cause = Cause.OTHER  # of its failure
    is_mail_late: bool = False
    is_overdue: bool = False  # put off for longer than a server should
    is_opened: bool = False  # by what doesn't look like a mail scanner
    is_old_link_opened: bool = False
    is_fresh: bool = False  # sent within a day
    expires_soon: bool = False
    # Of somebody who has joined.
    is_log_in_active: bool = True
    has_agreed: bool = True
    is_refused: bool = False  # since the last log-in that worked
    sees_project: bool = True
    is_suspended: bool = False  # on one that they would see otherwise
    # Of who sees none: whether they are on one all the same.
    begins_later: bool = False
    is_project_closed: bool = False


class Finding(Enum):
    """What is found, and the one next step."""

    sentence: str
    step: Step

    def __init__(self, sentence: str, step: Step) -> None:
        self.sentence = sentence
        self.step = step

    COMPANY_CLOSED = "{company} is not active, so nobody gets in.", ASK_OPERATOR
    NO_TERMS = (
        "No Terms and Conditions are published, so nobody can be invited.",
        ASK_OPERATOR,
    )
    INACTIVE = "The entry in the directory is not active.", REACTIVATE

    NOT_INVITED = "{person} has not been invited yet.", INVITE
    REVOKED = "The invitation was revoked.", INVITE
    DECLINED = "{person} has declined the invitation. Ask before you send one.", INVITE
    HELD = (
        "The invitation needs confirmation: whoever sent it may not invite {person} "
        "any more.",
        CONFIRM,
    )
    NEW_LINK_ASKED = (
        "The invitation has expired, and {person} has asked for a new one.",
        SEND_AGAIN,
    )
    EXPIRED = "The invitation has expired.", SEND_AGAIN
    EXPIRED_OPENED = (
        "The invitation has expired, but its link was opened: {person} has the mail.",
        EXTEND,
    )
    ADDRESS_CORRECTED = (
        "The address was corrected after the invitation had been sent.",
        SEND_AGAIN,
    )

    FIRST_PASSWORD = (
        "No mail was sent: {person} logs in with the first password that was handed "
        "over.",
        TELL,
    )
    NO_MAIL = "There is an invitation, but no mail was sent.", SEND_AGAIN
    MAIL_DROPPED = "The mail was not sent.", SEND_AGAIN
    MAIL_QUEUED = "The mail is on its way.", WAIT
    MAIL_STUCK = "The mail has been waiting to be sent for too long.", ASK_OPERATOR
    MAIL_PUT_OFF = (
        "The mail server has put the mail off ({cause}). It is tried again by itself.",
        WAIT,
    )
    MAIL_OVERDUE = (
        "The mail server has been putting the mail off for hours ({cause}). Check the "
        "address.",
        CORRECT,
    )
    ADDRESS_WRONG = "The mail was refused: {cause}. Check the address.", CORRECT
    MAIL_REFUSED = (
        "The mail was refused: {cause}. Ask {person} whether the address takes mail "
        "again.",
        SEND_AGAIN,
    )

    EXPIRES_SOON = "{person} has been invited, but only until {until}.", EXTEND
    OLD_LINK = (
        "{person} has opened the link of an older mail, which no longer works. The "
        "newest mail has the one that works.",
        TELL,
    )
    OPENED = (
        "{person} has opened the link, and has not created a password yet.",
        TELL,
    )
    SENT = "The mail server has taken the mail, less than a day ago.", WAIT
    UNOPENED = (
        "The mail server has taken the mail, but nobody seems to have opened the link. "
        "Ask {person} to look among the unwanted mail, too.",
        SEND_AGAIN,
    )

    LOG_IN_OFF = "The log-in of {person} is switched off.", ASK_OPERATOR
    TERMS_OPEN = (
        "{person} has joined, and still has to agree to the Terms and Conditions: "
        "they are shown after the log-in.",
        TELL,
    )
    REFUSED = (
        "Log-ins with this address were refused since the last one that worked. "
        "‘Forgot password, or first time here?’ at the log-in page helps.",
        TELL,
    )
    NOT_BEGUN = "{person} gets in, and sees the first project on {begins}.", WAIT
    SUSPENDED = "{person} gets in, but is suspended, and sees no project today.", LIFT
    PROJECT_CLOSED = (
        "{person} gets in, but sees no project today: theirs are not active.",
        OPEN_PROJECT,
    )
    PARTLY_SUSPENDED = (
        "{person} gets in, but is suspended on a project, and does not see it today.",
        LIFT,
    )
    NO_PROJECT = "{person} gets in, but sees no project today.", ADD_TO_PROJECT
    IN = "{person} gets in.", NOTHING


def find(now: Situation) -> Finding:
    """Decide what keeps somebody out, and so what the next step is."""
    if not now.is_company_active:
        return Finding.COMPANY_CLOSED
    match now.status:
        case Status.INACTIVE:
            return Finding.INACTIVE
        case Status.JOINED:
            return find_joined(now)
    if not now.has_terms:
        return Finding.NO_TERMS
    match now.status:
        case Status.NOT_INVITED:
            return Finding.NOT_INVITED
        case Status.REVOKED:
            return Finding.REVOKED
        case Status.DECLINED:
            return Finding.DECLINED
    return find_pending(now)


def find_joined(now: Situation) -> Finding:
    if not now.is_log_in_active:
        return Finding.LOG_IN_OFF
    if now.is_refused:
        return Finding.REFUSED
    if not now.has_agreed:
        return Finding.TERMS_OPEN
    if not now.sees_project:
        return find_on_project(now)
    return Finding.PARTLY_SUSPENDED if now.is_suspended else Finding.IN


def find_on_project(now: Situation) -> Finding:
    """Of who sees no project: whoever is on one can't be added to it."""
    if now.begins_later:
        return Finding.NOT_BEGUN
    if now.is_suspended:
        return Finding.SUSPENDED
    return Finding.PROJECT_CLOSED if now.is_project_closed else Finding.NO_PROJECT


def find_pending(now: Situation) -> Finding:
    """Of an open invitation: first what would make sending it again useless."""
    if now.status == Status.ADDRESS_CORRECTED:
        return Finding.ADDRESS_CORRECTED
    if now.mail == State.REFUSED and now.cause.is_of_address:
        return Finding.ADDRESS_WRONG
    match now.status:
        case Status.NEEDS_CONFIRMATION:
            return Finding.HELD
        case Status.NEW_LINK_ASKED:
            return Finding.NEW_LINK_ASKED
        case Status.EXPIRED:
            return Finding.EXPIRED_OPENED if now.is_opened else Finding.EXPIRED
    return find_invited(now)


def find_invited(now: Situation) -> Finding:
    """Of an invitation that can be accepted now: whether its mail has arrived."""
    match now.mail:
        case None if now.has_first_password:
            return Finding.FIRST_PASSWORD
        case None:
            return Finding.NO_MAIL
        case State.DROPPED:
            return Finding.MAIL_DROPPED
        case State.REFUSED:
            return Finding.MAIL_REFUSED
        case State.ACCEPTED:
            return find_mailed(now)
    return find_waiting(now)


def find_waiting(now: Situation) -> Finding:
    """Of a mail that no server has taken yet."""
    is_ours = now.mail != State.DEFERRED or now.cause == Cause.OWN_SERVER
    if is_ours:
        return Finding.MAIL_STUCK if now.is_mail_late else Finding.MAIL_QUEUED
    return Finding.MAIL_OVERDUE if now.is_overdue else Finding.MAIL_PUT_OFF


def find_mailed(now: Situation) -> Finding:
    if now.expires_soon:
        return Finding.EXPIRES_SOON
    if now.is_opened:
        return Finding.OPENED
    if now.is_old_link_opened:
        return Finding.OLD_LINK
    return Finding.SENT if now.is_fresh else Finding.UNOPENED
