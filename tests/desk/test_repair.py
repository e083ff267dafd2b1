"""Mails that did not arrive: told by domain and cause, corrected and sent again."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from companies.models import Membership
from desk.admin import repair
from desk.repair import (
    COMMON_DOMAINS,
    PATIENCE,
    Cause,
    cause_of,
    failed_mails,
    grouped,
    guess,
    known_domains,
)
from invitations.models import Delivery, Invitation
from tests.cast import add_entry
from tests.steps import text
from tests.test_query_counts import queries  # noqa: F401

REPAIR = reverse("admin:invitations_invitation_repair")
UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
State = Delivery.State


def invite_all(entries, by):
    return Invitation.objects.send(entries, by).sent


def fail(*invitations, reason=UNKNOWN, state=State.REFUSED):
    """Let the worker find the mail server of that mind."""
    mails = Delivery.objects.claim(10_000)
    chosen = {invitation.pk for invitation in invitations}
    for mail in mails:
        if mail.invitation_id not in chosen:
            mail.settle(State.ACCEPTED)
        elif state == State.REFUSED:
            mail.settle(state, reason.format(mail.recipient))
        else:
            mail.defer(reason)


@pytest.fixture
def people(acme):
    return [
        add_entry(acme, f"p{n}@gmial.com", first_name=f"P{n}", last_name="Wu")
        for n in range(3)
    ]


@pytest.fixture
def failed(ada, people):
    """Sent an hour ago: within a minute nothing is sent again (T27)."""
    invitations = invite_all(people, ada.user)
    fail(*invitations)
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=1))
    return invitations


def page_of(domain="gmial.com", cause="mailbox", **more):
    return f"{REPAIR}?{urlencode({'domain': domain, 'cause': cause, **more})}"


def given(*entries, domain="", **addresses):
    """The form as it is shown, with only these ticked."""
    shown = {f"address_{entry.pk}": entry.email for entry in entries}
    ticked = {f"chosen_{entry.pk}": "on" for entry in entries}
    return {"domain": domain, **shown, **ticked, **addresses}


ARRIVE = re.compile(r' <a href="(.*)">See (?:it|them) arrive</a>')


def messages(answer):
    """What was told, without the link to the page that shows the mails arrive."""
    return [ARRIVE.sub("", str(message)) for message in answer.context["messages"]]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("550 5.1.1 User unknown", Cause.MAILBOX),
        ("550 5.1.6 Moved away", Cause.MAILBOX),
        ("550 5.2.1 Mailbox disabled", Cause.MAILBOX),
        ("550 #5.1.0 Address rejected.", Cause.MAILBOX),
        ("550 No such mailbox", Cause.MAILBOX),
        ("553 sorry, that's not one of ours", Cause.MAILBOX),
        ("550 5.1.2 Bad destination system", Cause.DOMAIN),
        ("556 5.1.10 Recipient takes no mail", Cause.DOMAIN),
        ("550 5.4.4 Unable to route", Cause.DOMAIN),
        ("552 5.2.2 Over quota", Cause.FULL),
        ("452 4.2.2 Over quota", Cause.FULL),
        ("552 too much", Cause.FULL),
        ("550 5.7.1 Blocked, see 203.0.113.5.1.1", Cause.POLICY),
        ("550 5.7.26 Unauthenticated", Cause.POLICY),
        ("554 Message rejected", Cause.POLICY),
        ("451 4.4.1 Timed out", Cause.UNREACHABLE),
        ("450 try later", Cause.UNREACHABLE),
        ("550 5.6.0 Odd content", Cause.OTHER),
        ("599 What", Cause.OTHER),
        ("", Cause.OTHER),
        ("It could not be written (ValueError).", Cause.OTHER),
        ("The mail server could not be used: 550 5.1.1", Cause.OWN_SERVER),
    ],
)
def test_the_cause_is_read_from_the_servers_code(reason, cause):
    """RFC 3463; where a server gives no such code, RFC 5321."""
    assert cause_of(reason) == cause


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmal.de", ""),
        ("outlok.com", "outlook.com"),
        ("wbe.de", "web.de"),
        ("acme.exmaple", "acme.example"),
        ("gmail.com", ""),
        ("acme.example", ""),
        ("quite-another.example", ""),
    ],
)
def test_a_misspelt_domain_is_guessed(ada, domain, meant):
    """From the domains of the joined, and those that many people have."""
    assert guess(domain, known_domains(ada.company)) == meant


def test_only_the_own_companys_people_are_compared_with(ada, gina):
    """T43: a guess would tell where another company's people have their mail."""
    assert known_domains(ada.company) == ["acme.example", *COMMON_DOMAINS]


def test_failed_is_the_newest_mail_of_an_open_invitation(ada, people, failed):
    now = timezone.now()
    assert failed_mails(ada.company, now).count() == 3
    invite_all(people[:1], ada.user)  # it is on its way
    Invitation.objects.filter(pk=failed[1].pk).revoke(ada.user)
    assert [mail.invitation for mail in failed_mails(ada.company, now)] == [failed[2]]
    Membership.objects.filter(pk=people[2].pk).update(is_active=False)
    assert not failed_mails(ada.company, now)


def test_a_mail_that_is_put_off_for_long_has_failed_too(ada, people, time_machine):
    """A server that wants it to be sent twice is no failure yet."""
    invitations = invite_all(people, ada.user)
    fail(*invitations, reason="451 4.4.1 Timed out", state=State.DEFERRED)
    now = timezone.now()
    assert not failed_mails(ada.company, now)
    [group] = grouped(failed_mails(ada.company, now + PATIENCE + timedelta(minutes=1)))
    assert group.label == "3 people at gmial.com: receiving server not reached"


def test_people_are_counted_by_domain_and_cause(as_, ada, acme, people):
    other = add_entry(acme, "kim@initech.example")
    full = add_entry(acme, "pat@gmial.com")
    fail(*invite_all([*people, other], ada.user))
    fail(*invite_all([full], ada.user), reason="552 5.2.2 Over quota")
    page = text(as_(ada).get(REPAIR))
    assert re.findall(r">(\d+ p\w+ at [^<]+)<", page) == [
        "3 people at gmial.com: mailbox unknown",
        "1 person at gmial.com: mailbox full",
        "1 person at initech.example: mailbox unknown",
    ]
    assert "Recipient address rejected" in page
    assert "Perhaps gmail.com was meant" in page


def test_without_failures_the_page_says_so(as_, ada, ivo):
    assert "have arrived at a mail server" in text(as_(ada).get(REPAIR))


def test_the_domain_is_corrected_for_all_chosen(as_, ada, people, failed, mailoutbox):
    client = as_(ada)
    page = client.get(page_of(correct="gmail.com"))
    assert 'value="gmail.com"' in text(page)
    answer = client.post(page_of(), given(*people[:2], domain="Gmail.com"), follow=True)
    assert messages(answer) == ["2 invitations are on their way."]
    addresses = [entry.email for entry in Membership.objects.filter(user=None)]
    assert addresses == ["p0@gmail.com", "p1@gmail.com", "p2@gmial.com"]
    for invitation, version in zip(failed, (2, 2, 1), strict=True):
        invitation.refresh_from_db()
        assert invitation.version == version
        assert invitation.sent_to == invitation.membership.email
    assert "1 person at gmial.com" in text(answer)


def test_where_the_mails_arrive_is_told(as_, ada, people, failed):
    client = as_(ada)
    answer = client.post(page_of(), given(*people[:2], domain="gmail.com"), follow=True)
    [told] = answer.context["messages"]
    page = text(client.get(ARRIVE.search(str(told))[1]))
    assert "p0@gmail.com" in page and "p1@gmail.com" in page


def test_an_address_is_corrected_by_itself(as_, ada, people, failed):
    """It wins over the new domain; who isn't ticked is left alone."""
    typed = {f"address_{people[0].pk}": "wu@initech.example"}
    answer = as_(ada).post(
        page_of(), given(*people[:2], domain="gmail.com", **typed), follow=True
    )
    assert messages(answer) == ["2 invitations are on their way."]
    for entry in people:
        entry.refresh_from_db()
    assert people[0].email == "wu@initech.example"
    assert people[1].email == "p1@gmail.com"
    assert people[2].email == "p2@gmial.com"


def test_the_same_address_is_tried_once_more(as_, ada, people, failed):
    """As when a mailbox was full."""
    answer = as_(ada).post(page_of(), given(people[0]), follow=True)
    assert messages(answer) == ["The invitation is on its way."]
    assert failed_mails(ada.company, timezone.now()).count() == 2


def test_refusals_stand_at_their_rows_with_what_was_typed(as_, ada, people, failed):
    typed = {
        f"address_{people[0].pk}": "ADA@acme.example",
        f"address_{people[1].pk}": "no address",
        f"address_{people[2].pk}": "p2@gmail.com",
    }
    answer = as_(ada).post(page_of(), given(*people) | typed)
    assert answer.status_code == 200
    assert messages(answer) == ["The invitation is on its way."]
    page = text(answer)
    assert "in your directory already" in page
    assert "Enter an e-mail address such as" in page
    assert 'value="ADA@acme.example"' in page
    assert 'value="no address"' in page
    assert "P2 Wu" not in page  # is done
    people[0].refresh_from_db()
    assert people[0].email == "p0@gmial.com"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"domain": "gmail.com"}, "Choose whom to send to."),
        ({"domain": "no domain", "chosen": "all"}, "not a domain name"),
    ],
)
def test_a_form_that_says_too_little_does_nothing(
    as_, ada, people, failed, data, sentence
):
    ticked = given(*people) if data.pop("chosen", "") else {}
    answer = as_(ada).post(page_of(), ticked | data)
    assert sentence in text(answer)
    assert failed_mails(ada.company, timezone.now()).count() == 3


def test_a_character_that_no_database_takes_is_refused_at_its_row(
    as_, ada, people, failed
):
    """T16: also beside others who are well written, whose mails don't go out then."""
    typed = {f"address_{people[0].pk}": "p0\0@gmail.com"}
    answer = as_(ada).post(page_of(), given(*people, domain="gmail.com") | typed)
    assert answer.status_code == 200
    assert "Null characters are not allowed." in text(answer)
    assert failed_mails(ada.company, timezone.now()).count() == 3


def test_who_does_not_stand_on_the_page_is_reached_too(
    as_, ada, people, failed, monkeypatch
):
    """A form has only so many fields."""
    monkeypatch.setattr(repair, "ROWS_SHOWN", 1)
    newest = people[2]
    page = text(as_(ada).get(page_of()))
    assert "And 2 who aren’t listed here" in page
    data = given(newest, domain="gmail.com")
    as_(ada).post(page_of(), data)
    assert failed_mails(ada.company, timezone.now()).count() == 2
    add_entry(ada.company, "p1@gmail.com")
    data = given(people[1], domain="gmail.com") | {"across": "on"}
    answer = as_(ada).post(page_of(), data)
    assert "in your directory already" in text(answer)
    people[0].refresh_from_db()
    assert people[0].email == "p0@gmail.com"


def test_without_terms_nothing_is_corrected(as_, db, settings):
    """Only operators get in then, and read what to run."""
    from accounts.models import User
    from companies.models import Company
    from tests.cast import PASSWORD

    acme = Company.objects.create(name="Acme")
    entry = add_entry(acme, "kim@gmial.com")
    now = timezone.now()
    invitation = Invitation.objects.create(
        company=acme,
        membership=entry,
        sent_to=entry.email,
        **Invitation.fresh(None, now),
    )
    Delivery.objects.queue([Delivery(kind="welcome", **invitation.mail_facts)])
    fail(invitation)
    olga = User.objects.create_superuser("olga@operator.example", PASSWORD)
    answer = as_(olga).post(page_of(), given(entry, domain="gmail.com"))
    assert "publish_terms" in messages(answer)[0]
    entry.refresh_from_db()
    assert entry.email == "kim@gmial.com"


def test_gina_neither_sees_nor_mends_it(as_, gina, people, failed):
    """T37 to T43: as if there were no such mails."""
    client = as_(gina)
    assert "gmial" not in text(client.get(REPAIR))
    for ask in (client.get, client.post):
        foreign = ask(page_of())
        missing = ask(page_of(domain="nothing.example"))
        assert (foreign.status_code, foreign.url) == (302, REPAIR)
        assert (missing.status_code, missing.url) == (302, REPAIR)
    ticked = given(*people, domain="gmail.com")
    client.post(page_of(), ticked)
    assert not Membership.objects.filter(email__endswith="@gmail.com").exists()


@pytest.mark.parametrize("reader", ["rory", "cora"])
def test_who_may_not_change_people_reads_and_mends_nothing(
    as_, people, failed, reader, request
):
    client = as_(request.getfixturevalue(reader))
    assert "3 people at gmial.com" in text(client.get(REPAIR))
    page = text(client.get(page_of()))
    assert "p0@gmial.com" in page
    assert "ask a company administrator" in page
    assert "<input" not in page.split("content-main")[1]
    assert client.post(page_of(), given(*people, domain="gmail.com")).status_code == 403
    assert not Membership.objects.filter(email__endswith="@gmail.com").exists()


def test_only_the_groups_own_people_are_reached(as_, ada, ivo, people, failed):
    """Fields for others are not read."""
    ticked = given(people[0], ivo.membership, domain="gmail.com")
    as_(ada).post(page_of(), ticked)
    ivo.membership.refresh_from_db()
    assert ivo.membership.email == "ivo@subco.example"


@pytest.mark.parametrize("count", [10, 1000])
@pytest.mark.parametrize("url", [REPAIR, page_of()])
def test_the_pages_cost_the_same_for_many(as_, ada, acme, queries, count, url):  # noqa: F811
    entries = [
        Membership(company=acme, email=f"p{n}@gmial.com", template=ada.template)
        for n in range(count)
    ]
    invitations = invite_all(Membership.objects.bulk_create(entries), ada.user)
    now = timezone.now()
    Delivery.objects.filter(invitation__in=invitations).update(
        state=State.REFUSED, reason="550 5.1.1 No", settled_at=now
    )
    client = as_(ada)
    client.get(url)
    with queries:
        assert f"{count} people at gmial.com" in text(client.get(url))
    assert len(queries) <= 12, str(queries)
