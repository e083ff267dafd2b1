"""The one next step: a table of cases."""

import pytest

from desk import steps
from desk.admin import DirectoryAdmin
from desk.repair import Cause
from desk.status import Status
from desk.steps import Finding, Situation, State, find

INVITED = {"status": Status.INVITED}
SENT = INVITED | {"mail": State.ACCEPTED}
PUT_OFF = INVITED | {"mail": State.DEFERRED, "cause": Cause.UNREACHABLE}
WRONG = {"mail": State.REFUSED, "cause": Cause.MAILBOX}
JOINED = {"status": Status.JOINED}
OUTSIDE = JOINED | {"sees_project": False}

CASES = [
    # Nobody gets in, or not this entry.
    (JOINED | {"is_company_active": False}, "COMPANY_CLOSED", steps.ASK_OPERATOR),
    ({"status": Status.INACTIVE}, "INACTIVE", steps.REACTIVATE),
    (INVITED | {"has_terms": False}, "NO_TERMS", steps.ASK_OPERATOR),
    # No invitation is open.
    ({"status": Status.NOT_INVITED}, "NOT_INVITED", steps.INVITE),
    ({"status": Status.REVOKED}, "REVOKED", steps.INVITE),
    ({"status": Status.DECLINED}, "DECLINED", steps.INVITE),
    # One is, and can't be accepted.
    ({"status": Status.NEEDS_CONFIRMATION}, "HELD", steps.CONFIRM),
    ({"status": Status.NEW_LINK_ASKED}, "NEW_LINK_ASKED", steps.SEND_AGAIN),
    ({"status": Status.EXPIRED}, "EXPIRED", steps.SEND_AGAIN),
    ({"status": Status.EXPIRED, "is_opened": True}, "EXPIRED_OPENED", steps.EXTEND),
    # It can be accepted, but its mail has not arrived.
    ({"status": Status.ADDRESS_CORRECTED}, "ADDRESS_CORRECTED", steps.SEND_AGAIN),
    (INVITED, "NO_MAIL", steps.SEND_AGAIN),
    (INVITED | {"has_first_password": True}, "FIRST_PASSWORD", steps.TELL),
    (INVITED | {"mail": State.DROPPED}, "MAIL_DROPPED", steps.SEND_AGAIN),
    (INVITED | {"mail": State.QUEUED}, "MAIL_QUEUED", steps.WAIT),
    (INVITED | {"mail": State.SENDING}, "MAIL_QUEUED", steps.WAIT),
    (
        INVITED | {"mail": State.QUEUED, "is_mail_late": True},
        "MAIL_STUCK",
        steps.ASK_OPERATOR,
    ),
    (
        PUT_OFF | {"cause": Cause.OWN_SERVER, "is_mail_late": True},
        "MAIL_STUCK",
        steps.ASK_OPERATOR,
    ),
    (PUT_OFF | {"is_mail_late": True}, "MAIL_PUT_OFF", steps.WAIT),
    (PUT_OFF | {"is_overdue": True}, "MAIL_OVERDUE", steps.CORRECT),
    ({"status": Status.MAIL_REFUSED} | WRONG, "ADDRESS_WRONG", steps.CORRECT),
    (
        {"status": Status.MAIL_REFUSED, "mail": State.REFUSED, "cause": Cause.FULL},
        "MAIL_REFUSED",
        steps.SEND_AGAIN,
    ),
    # To a wrong address nothing is sent again or extended.
    ({"status": Status.EXPIRED} | WRONG, "ADDRESS_WRONG", steps.CORRECT),
    ({"status": Status.NEW_LINK_ASKED} | WRONG, "ADDRESS_WRONG", steps.CORRECT),
    # Its mail has arrived.
    (SENT | {"is_fresh": True}, "SENT", steps.WAIT),
    (SENT, "UNOPENED", steps.SEND_AGAIN),
    (SENT | {"is_opened": True}, "OPENED", steps.TELL),
    (SENT | {"is_old_link_opened": True}, "OLD_LINK", steps.TELL),
    (SENT | {"is_old_link_opened": True, "is_opened": True}, "OPENED", steps.TELL),
    (SENT | {"expires_soon": True, "is_opened": True}, "EXPIRES_SOON", steps.EXTEND),
    # Inside.
    (JOINED | {"is_log_in_active": False}, "LOG_IN_OFF", steps.ASK_OPERATOR),
    (JOINED | {"is_refused": True, "has_agreed": False}, "REFUSED", steps.TELL),
    (JOINED | {"has_agreed": False}, "TERMS_OPEN", steps.TELL),
    (OUTSIDE, "NO_PROJECT", steps.ADD_TO_PROJECT),
    (OUTSIDE | {"begins_later": True, "is_suspended": True}, "NOT_BEGUN", steps.WAIT),
    (OUTSIDE | {"is_suspended": True}, "SUSPENDED", steps.LIFT),
    (OUTSIDE | {"is_project_closed": True}, "PROJECT_CLOSED", steps.OPEN_PROJECT),
    (JOINED | {"is_suspended": True}, "PARTLY_SUSPENDED", steps.LIFT),
    (JOINED | {"begins_later": True, "is_project_closed": True}, "IN", steps.NOTHING),
    (JOINED, "IN", steps.NOTHING),
    (JOINED | {"has_terms": False}, "IN", steps.NOTHING),
]


@pytest.mark.parametrize(("situation", "finding", "step"), CASES)
def test_the_next_step_follows_from_the_situation(situation, finding, step):
    found = find(Situation(**situation))
    assert (found.name, found.step) == (finding, step)


def test_each_finding_has_a_case():
    assert {finding for _, finding, _ in CASES} == set(Finding.__members__)


def test_each_action_is_one_of_the_directory():
    actions = {finding.step.action for finding in Finding} - {""}
    assert actions <= set(DirectoryAdmin.actions)


def test_each_status_leads_somewhere():
    for status in Status:
        assert find(Situation(status=status)) in Finding
