"""'Forgot password, or first time here?': one page for all (S5, T19, T21)."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.tasks import TaskResultStatus
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Delivery, Invitation, LinkRequest
from procore_site.management.commands.work import Command
from tests.cast import PASSWORD, add_entry, invite, link_in, work
from tests.steps import (
    CHOSEN,
    FORGOT,
    agree,
    headers,
    is_logged_in,
    link_of,
    log_in,
    text,
)

DONE = reverse("account_reset_password_done")


def ask(client, email):
    return client.post(FORGOT, {"email": email})


def stripped(answer):
    """What a stranger can see: status, headers and page."""
    return answer.status_code, headers(answer), answer.content, sorted(answer.cookies)


def test_the_log_in_page_leads_there(client, db):
    """S5."""
    page = text(client.get(reverse("account_login")))
    assert f'href="{FORGOT}"' in page
    assert "Forgot password, or first time here?" in page


def test_the_answer_is_the_same_for_everybody(client, ada, ivo, max_):
    """T21: known, waiting, switched off, unknown."""
    from django.test import Client

    User.objects.filter(pk=max_.user.pk).update(is_active=False)
    Invitation.objects.filter(pk=ivo.pk)
    known = ("ada@acme.example", "ivo@subco.example", "max@acme.example")
    answers = [ask(Client(), email) for email in (*known, "nobody@subco.example")]
    assert len({str(stripped(answer)) for answer in answers}) == 1
    assert answers[0].url == DONE


def test_the_page_only_queues(client, ada, ivo, django_assert_num_queries):
    """T21: it looks nothing up, so its time tells nothing."""
    counts = []
    for email in ("ada@acme.example", "ivo@subco.example", "nobody@subco.example"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask(client, email)
        ours = [q["sql"] for q in queries if "cache" not in q["sql"]]
        assert not any(
            "FROM" in sql and ("accounts_user" in sql or "invitation" in sql)
            for sql in ours
        )
        counts.append(len(ours))
    assert len(set(counts)) == 1
    assert not Delivery.objects.filter(kind="account").exists()


def test_a_stranger_gets_no_mail(client, terms, mailoutbox):
    """T21."""
    ask(client, "nobody@subco.example")
    work()
    assert not mailoutbox
    assert AuditEvent.objects.filter(kind=AuditEvent.Kind.RESET_ASKED).count() == 1


def test_a_killed_worker_forgets_nobody_who_asked(client, ada, mailoutbox):
    """F6: its task is never taken back; the row is found by the next waking."""
    ask(client, "ada@acme.example")
    ready = DBTaskResult.objects.ready()
    assert "ada@" not in str(list(ready.values_list("args_kwargs")))
    ready.update(status=TaskResultStatus.RUNNING)
    work()
    assert not mailoutbox
    Command().wake()
    work()
    assert [letter.to for letter in mailoutbox] == [["ada@acme.example"]]
    assert not LinkRequest.objects.exists()
    Command().wake()
    work()
    assert len(mailoutbox) == 1


def test_who_can_not_be_answered_now_is_answered_later(client, ada, max_, mailoutbox):
    """F6: all or nothing; and the others are answered meanwhile."""

    def refuse_adas(execute, sql, params, many, context):
        if "INSERT" in sql and "delivery" in sql and "ada@acme.example" in str(params):
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)

    for email in ("ada@acme.example", "max@acme.example"):
        ask(client, email)
    with connection.execute_wrapper(refuse_adas):
        work()
    assert [letter.to for letter in mailoutbox] == [["max@acme.example"]]
    assert LinkRequest.objects.get().email == "ada@acme.example"
    Command().wake()
    work()
    assert [letter.to for letter in mailoutbox][1:] == [["ada@acme.example"]]


def test_two_workers_answer_once(client, ada):
    """F8."""
    ask(client, "ada@acme.example")
    request = LinkRequest.objects.get()
    request.answer()
    request.answer()
    assert Delivery.objects.filter(user=ada.user).count() == 1


def test_an_account_gets_a_link_for_a_new_password(client, ada, mailoutbox):
    """T19: it logs nobody in, and dies with its use."""
    ask(client, "ada@acme.example")
    work()
    [letter] = mailoutbox
    link = link_in(letter)
    form = client.get(link, follow=True).redirect_chain[-1][0]
    assert link.split("-")[-1].strip("/") not in form
    answer = client.post(form, {"password1": CHOSEN, "password2": CHOSEN})
    assert answer.url == reverse("account_reset_password_from_key_done")
    assert not is_logged_in(client)
    client.cookies.clear()
    assert "This link can’t be used" in text(client.get(link, follow=True))
    log_in(client, "ada@acme.example", CHOSEN)
    assert is_logged_in(client)


@pytest.mark.parametrize("change", ["password", "address", "switched off"])
def test_a_reset_link_dies_when_the_account_changes(client, ada, mailoutbox, change):
    """T19, T34: also one that was opened before."""
    ask(client, "ada@acme.example")
    work()
    link = link_in(mailoutbox[0])
    form = client.get(link, follow=True).redirect_chain[-1][0]
    match change:
        case "password":
            ada.user.set_password("Another-Word-9")
            ada.user.save()
        case "address":
            ada.user.emailaddress_set.update(email="lindqvist@acme.example")
            User.objects.filter(pk=ada.user.pk).update(email="lindqvist@acme.example")
        case "switched off":
            User.objects.filter(pk=ada.user.pk).update(is_active=False)
    before = User.objects.get(pk=ada.user.pk).password
    for answer in (
        client.get(link, follow=True),
        client.post(form, {"password1": CHOSEN, "password2": CHOSEN}),
    ):
        assert "This link can’t be used" in text(answer)
    assert User.objects.get(pk=ada.user.pk).password == before


def test_a_waiting_person_gets_the_invitation_once_more(client, ivo, mailoutbox):
    """S5, T19: the same link, never a reset, as there is no account."""
    work()
    mailoutbox.clear()
    ask(client, " IVO@subco.example")
    work()
    [letter] = mailoutbox
    assert letter.to == ["ivo@subco.example"]
    assert link_in(letter) == link_of(ivo)
    fresh = Invitation.objects.get(pk=ivo.pk)
    assert (fresh.version, fresh.expires_at) == (ivo.version, ivo.expires_at)
    assert not User.objects.filter(email="ivo@subco.example").exists()


def test_a_member_who_is_invited_elsewhere_gets_both(client, max_, gina, mailoutbox):
    """S5."""
    invite(add_entry(gina.company, "max@acme.example"), gina.user)
    work()
    mailoutbox.clear()
    ask(client, "max@acme.example")
    work()
    assert sorted(letter.subject for letter in mailoutbox) == [
        "Choose a new password",
        "Welcome to Procore",
    ]


def test_one_a_minute_and_five_a_day(client, ivo, mailoutbox, time_machine):
    """S5, T27: a stranger can neither flood nor kill nor prolong."""
    work()
    mailoutbox.clear()
    now = timezone.now()
    for minute in range(12):
        for second in (0, 59):
            time_machine.move_to(now + timedelta(minutes=minute, seconds=second))
            Invitation.objects.ask_again("ivo@subco.example")
    work()
    assert len(mailoutbox) == 5


def test_an_expired_invitation_sends_nothing_and_is_marked(
    client, ivo, mailoutbox, time_machine
):
    """S5: the administrator sees that a new one was asked for."""
    work()
    mailoutbox.clear()
    time_machine.move_to(ivo.expires_at)
    for _ in range(2):
        ask(client, "ivo@subco.example")
    work()
    assert not mailoutbox
    ivo.refresh_from_db()
    assert ivo.new_link_asked_at
    assert AuditEvent.objects.filter(kind=AuditEvent.Kind.NEW_LINK_ASKED).count() == 1


@pytest.mark.parametrize("state", ["revoked", "declined"])
def test_a_settled_invitation_sends_nothing(client, ivo, mailoutbox, state):
    """S5."""
    work()
    mailoutbox.clear()
    Invitation.objects.filter(pk=ivo.pk).update(state=state, settled_at=timezone.now())
    ask(client, "ivo@subco.example")
    work()
    assert not mailoutbox


def test_somebody_switched_off_gets_nothing(client, max_, mailoutbox):
    """T34."""
    User.objects.filter(pk=max_.user.pk).update(is_active=False)
    ask(client, "max@acme.example")
    work()
    assert not mailoutbox


def test_asking_is_limited(client, db):
    """T27: five a minute for an address."""
    answers = [ask(client, "nobody@subco.example").status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]


def test_plus_tags_step_round_no_limit(client, ivo, mailoutbox):
    """T12: they are other addresses, which get nothing, and one visitor's count."""
    tagged = [f"ivo+{number}@subco.example" for number in range(21)]
    answers = [ask(client, address).status_code for address in tagged]
    assert answers == [302] * 20 + [429]
    work()
    assert [letter.to for letter in mailoutbox] == [[ivo.sent_to]]


def test_asking_locks_nobody_out(client, ada):
    """T25."""
    for _ in range(6):
        ask(client, "ada@acme.example")
    log_in(client, "ada@acme.example", PASSWORD)
    assert is_logged_in(client)


def test_a_reset_still_leads_past_the_terms(client, ada, mailoutbox):
    """T19, T51."""
    from invitations.models import Terms

    Terms.objects.publish("2026-02", "New.", None)
    ask(client, "ada@acme.example")
    work()
    form = client.get(link_in(mailoutbox[0]), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": CHOSEN, "password2": CHOSEN})
    log_in(client, "ada@acme.example", CHOSEN)
    assert client.get("/companies/").url.startswith(reverse("invitations:terms"))
    agree(client)
    assert client.get("/companies/").url == ada.company.get_absolute_url()
