"""Logging in: one answer and one hash in every case (S2, S3, T20)."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Membership
from invitations.models import Invitation
from tests.cast import PASSWORD, add_entry, add_member, invite, link_in, work
from tests.steps import CHOSEN, LOG_IN, headers, is_logged_in, log_in, text

WRONG = "Wrong-Password-1"


@pytest.fixture
def people(ada, max_, ivo):
    """An address for each case that a log-in may meet."""
    User.objects.filter(pk=max_.user.pk).update(is_active=False)
    unusable = add_member(ada.company, "bea@acme.example").user
    unusable.set_unusable_password()
    unusable.save()
    unproven = add_member(ada.company, "uma@acme.example").user
    unproven.emailaddress_set.update(verified=False)
    Invitation.objects.make_first_passwords([ivo.membership], ada.user)
    return {
        "known": "ada@acme.example",
        "unknown": "nobody@acme.example",
        "inactive": "max@acme.example",
        "unusable": "bea@acme.example",
        "unproven": "uma@acme.example",
        "first password": "ivo@subco.example",
    }


def seen(answer, email):
    """What a stranger can see, but for the address and the token of the form."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text(answer))
    page = page.replace(email, "…")
    return answer.status_code, headers(answer), page, sorted(answer.cookies)


def test_a_refusal_is_the_same_in_each_case(people):
    """T20: status, headers, cookies and page, byte for byte."""
    answers = {
        name: seen(log_in(Client(), email, WRONG), email)
        for name, email in people.items()
    }
    for name, answer in answers.items():
        assert (name, answer) == (name, answers["unknown"])
    assert "The address or the password is not right." in answers["unknown"][2]


def test_the_right_password_of_an_inactive_account_is_a_wrong_one(people):
    """T20."""
    email = people["inactive"]
    right, wrong = (log_in(Client(), email, word) for word in (PASSWORD, WRONG))
    assert seen(right, email) == seen(wrong, email)


def test_each_case_costs_one_hash(people, hashes):
    """T20."""
    for name, email in people.items():
        hashes.clear()
        log_in(Client(), email, WRONG)
        assert (name, len(hashes)) == (name, 1)
    hashes.clear()
    log_in(Client(), people["inactive"], PASSWORD)
    assert hashes == [PASSWORD]
    hashes.clear()
    log_in(Client(), people["known"], PASSWORD)
    assert hashes == [PASSWORD]


def test_the_right_first_password_costs_one_hash(people, hashes, ivo, ada):
    """T20."""
    [(_, word)], _ = Invitation.objects.make_first_passwords([ivo.membership], ada.user)
    hashes.clear()
    assert log_in(Client(), people["first password"], word).status_code == 302
    assert hashes == [word]


def test_each_case_asks_the_same_of_the_database(people):
    """T20: but for the first password, which takes the place of the account."""
    counts = {}
    for name, email in people.items():
        with CaptureQueriesContext(connection) as queries:
            log_in(Client(), email, WRONG)
        counts[name] = len([q for q in queries if "cache" not in q["sql"]])
    accounts = {
        counts[name] for name in counts if name not in ("unknown", "first password")
    }
    assert len(accounts) == 1
    assert counts["unknown"] == counts["first password"]


def test_a_refusal_is_audited_without_the_password(people):
    """T56: with the address that was tried."""
    log_in(Client(), "Nobody@acme.example", WRONG)
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.LOG_IN_REFUSED)
    assert event.facts == {"email": "nobody@acme.example"}
    assert event.client_address == "127.0.0.1"


def test_somebody_without_an_invitation_is_told_whom_to_ask(client, db):
    """S2."""
    assert "ask your Company Administrator" in text(client.get(LOG_IN))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"login": "", "password": ""},
        {"login": "ada@acme.example"},
        {"password": PASSWORD},
        {"login": "ada@acme.example", "password": ""},
        {"login": "ada@acme.example", "password": "\0"},
        {"login": "\0", "password": PASSWORD},
        {"login": "a" * 100_000, "password": "b" * 100_000},
        {"login": ["ada@acme.example", "x"], "password": ["x", PASSWORD]},
        {"login[]": "ada@acme.example", "password[]": PASSWORD},
    ],
)
def test_bad_input_gets_the_form_again(client, ada, given):
    """T17: never an error page, and the address is not lost."""
    answer = client.post(LOG_IN, given)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not is_logged_in(client)


def test_one_value_is_looked_up_where_two_are_posted(client, ada, max_):
    """T17: the last of each."""
    given = {"login": ["max@acme.example", "ada@acme.example"], "password": PASSWORD}
    client.post(LOG_IN, given)
    assert client.session["_auth_user_id"] == str(ada.user.pk)


def test_the_session_gets_a_new_id(client, ada, ivo):
    """T31: at log-in; nothing is carried but the invitations that were opened."""
    from tests.steps import follow

    follow(client, ivo)
    session = client.session
    session["planted"] = 1
    session.save()
    log_in(client, "ada@acme.example")
    assert is_logged_in(client)
    assert client.session.session_key != session.session_key
    assert not session.exists(session.session_key)
    assert "invitations" in client.session
    assert "planted" not in client.session


def test_the_session_gets_a_new_id_when_a_password_is_asked_again(ada, as_):
    """T31: at re-authentication; the list of sessions still knows this one."""
    client = Client()
    log_in(client, "ada@acme.example")
    before = client.session
    page = reverse("account_reauthenticate")
    answer = client.post(page, {"password": WRONG})
    assert "This is not your password." in text(answer)
    assert client.session.session_key == before.session_key
    answer = client.post(page, {"password": PASSWORD})
    assert answer.status_code == 302
    assert client.session.session_key != before.session_key
    assert not before.exists(before.session_key)
    sessions = client.get(reverse("usersessions_list")).context["sessions"]
    assert [each.session_key for each in sessions] == [client.session.session_key]


def test_a_company_without_access_says_whom_to_ask(client, ada):
    """Issue 2, item 6: none is left to go to."""
    Membership.objects.filter(pk=ada.pk).update(is_active=False)
    log_in(client, "ada@acme.example")
    page = text(client.get("/companies/"))
    assert "Ask the Company Administrator who invited you." in page


def test_five_wrong_ones_are_enough(client, ada):
    """T24: also in another spelling of the address."""
    for spelling in ("ada@acme.example", " ADA@acme.example", "Ada@ACME.example") * 2:
        answer = log_in(client, spelling, WRONG)
    assert "Too many attempts." in text(answer)
    assert "Too many attempts." in text(log_in(client, "ada@acme.example", PASSWORD))


# No look-up of an address may scan a table -----------------------------------------


@pytest.fixture
def crowd(people, acme, ada):
    """So many people that an index is worth its while, and the engine knows it."""
    emails = [f"person{number}@subco.example" for number in range(1000)]
    users = User.objects.bulk_create(User(email=email) for email in emails)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True)
        for user in users
    )
    entries = Membership.objects.bulk_create(
        Membership(company=acme, email=email, template=ada.template) for email in emails
    )
    Invitation.objects.bulk_create(
        Invitation(
            company=acme,
            membership=entry,
            sent_to=entry.email,
            **Invitation.fresh(ada.user, timezone.now()),
        )
        for entry in entries
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plan(sql):
    """How the engine answers a statement, as it says itself."""
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def lookups(action, email):
    """The statements that look an address up."""
    with CaptureQueriesContext(connection) as queries:
        action()
    statements = [query["sql"] for query in queries]
    assert not any("UPPER(" in sql for sql in statements)
    return [
        sql
        for sql in statements
        if sql.startswith("SELECT") and f"'{email}'" in sql and "cache" not in sql
    ]


INDEXES = ["accounts_user_email", "sqlite_autoindex_accounts_user_1"]


def test_no_look_up_of_an_address_scans(crowd, ivo, ada, gina):
    """Issue 2: log-in, 'Forgot password' and waiting invitations name an index."""
    invite(add_entry(gina.company, "ada@acme.example"), gina.user)

    def forgot(email):
        Client().post(reverse("account_reset_password"), {"email": email})
        work()

    known = ("ada@acme.example", "ivo@subco.example", "nobody@acme.example")
    cases = [
        lookups(lambda email=email, ask=ask: ask(email), email)
        for email in known
        for ask in (lambda email: log_in(Client(), email, PASSWORD), forgot)
    ]
    assert all(cases)
    for sql in {sql for statements in cases for sql in statements}:
        uses_index(sql)


def uses_index(sql):
    told = plan(sql)
    big = (
        "accounts_user",
        "account_emailaddress",
        "invitations_invitation",
        "companies_membership",
    )
    assert not re.search(rf"(Seq Scan on|SCAN) ({'|'.join(big)})\b", told), told
    assert "ndex" in told or "INDEX" in told


def test_nor_does_one_of_an_address_that_is_set(crowd, ada, mailoutbox):
    """Issue 2: a new password by the mailed link, another address, confirming it."""
    old, new = "ada@acme.example", "lindqvist@acme.example"
    client = Client()
    client.post(reverse("account_reset_password"), {"email": old})
    work()
    form = client.get(link_in(mailoutbox.pop()), follow=True).redirect_chain[-1][0]
    given = {"password1": CHOSEN, "password2": CHOSEN}
    found = lookups(lambda: client.post(form, given), old)
    assert User.objects.get(email=old).check_password(CHOSEN)

    log_in(client, old, CHOSEN)
    client.post(reverse("account_reauthenticate"), {"password": CHOSEN})
    given = {"email": new, "action_add": ""}
    found += lookups(lambda: client.post(reverse("account_email"), given), new)
    work()
    [letter] = [mail for mail in mailoutbox if "Confirm" in mail.subject]
    found += lookups(lambda: client.post(link_in(letter)), new)
    assert User.objects.filter(email=new).exists()
    assert found
    for sql in found:
        uses_index(sql)


@pytest.mark.parametrize(
    ("rows", "column", "indexes"),
    [
        (User.objects.all, "email", INDEXES),
        (Invitation.objects.pending, "sent_to", ["invitations_pending_address"]),
        (Membership.objects.all, "email", ["companies_membership_email"]),
    ],
)
def test_the_index_that_was_made_for_it_is_used(crowd, rows, column, indexes):
    """Issue 2: by name."""
    email = "person7@subco.example"
    with CaptureQueriesContext(connection) as queries:
        assert len(rows().order_by().filter(**{column: email}).values_list("pk")) == 1
    told = plan(queries[0]["sql"])
    assert any(index in told for index in indexes), told


def test_a_hash_of_other_parameters_still_logs_in(client, ada):
    """Issue 2, item 3."""
    User.objects.filter(pk=ada.user.pk).update(
        password=make_password(PASSWORD, hasher="pbkdf2_sha256")
    )
    log_in(client, "ada@acme.example")
    assert is_logged_in(client)
