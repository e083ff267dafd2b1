"""What has become of one sending: for all of it, and for each of its mails."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from companies.models import Membership
from companies.tools import MEMBER
from invitations.models import Delivery, Invitation
from tests.cast import add_entry, template, work

DIRECTORY = "/admin/companies/membership/"
State = Delivery.State


def page_of(batch):
    return reverse("admin:invitations_invitation_progress", args=[batch])


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.fixture
def sending(acme, ada):
    entries = [
        add_entry(acme, f"p{n}@acme.example", first_name=f"P{n}") for n in range(5)
    ]
    return Invitation.objects.send(entries, ada.user)


def settle(sending, *states):
    """Let each mail, in their order, come to this."""
    mails = sorted(Delivery.objects.claim(50), key=lambda mail: mail.pk)
    for mail, state in zip(mails, states, strict=False):
        if state == State.DEFERRED:
            mail.defer("451 Come back later")
        else:
            mail.settle(state, "550 No such mailbox" * (state == State.REFUSED))


def test_it_counts_and_says_why(as_, ada, sending):
    settle(sending, State.ACCEPTED, State.REFUSED, State.DEFERRED, State.DROPPED)
    page = words(as_(ada).get(page_of(sending.batch)))
    assert "3 of 5 are settled, the others are on their way." in page
    for text in (
        *("All: 5", "On their way: 1", "To be tried again: 1"),
        *("Refused by the mail server: 1", "Accepted by the mail server: 1"),
        *("Not sent, no longer needed: 1", "550 No such mailbox"),
        "451 Come back later",
    ):
        assert text in page


def test_each_group_is_a_list_of_its_own(as_, ada, sending):
    settle(sending, State.ACCEPTED, State.REFUSED)
    client = as_(ada)
    answer = client.get(page_of(sending.batch), {"state": "refused"})
    assert [str(mail.invitation.membership) for mail in answer.context["mails"]] == [
        "P1"
    ]
    for garbage in ("x", "queued"):
        answer = client.get(page_of(sending.batch), {"state": garbage, "p": garbage})
        assert len(answer.context["mails"]) == 5


def primary(page):
    return re.findall(r'<a class="button"[^>]*>(.*?)</a>', page)


def test_it_renews_itself_until_all_is_settled(as_, ada, sending, mailoutbox):
    client = as_(ada)
    page = client.get(page_of(sending.batch)).text
    assert 'data-live="on"' in page
    assert primary(page) == ["Look again"]
    work()
    answer = client.get(page_of(sending.batch))
    assert "5 of 5 are settled: nothing is left to send." in words(answer)
    assert 'data-live="on"' not in answer.content.decode()
    assert primary(answer.text) == ["Back to the directory"]


def test_the_actions_lead_there(as_, ada, sending):
    data = {"action": "invite", "_selected_action": add_entry(ada.company, "a@b.de").pk}
    client = as_(ada)
    answer = client.post(DIRECTORY, data, follow=True)
    [message] = answer.context["messages"]
    [url] = re.findall(r'href="([^"]+)"', str(message))
    assert "0 of 1 are settled" in words(client.get(url))


@pytest.mark.parametrize("batch", ["theirs", "nobodys"])
def test_another_companys_sending_is_not_there(as_, gina, sending, batch):
    """T37, T43: like one that never was."""
    batch = sending.batch if batch == "theirs" else uuid4()
    assert as_(gina).get(page_of(batch)).status_code == 404


def test_an_operator_reads_it(as_, olga, sending):
    assert as_(olga).get(page_of(sending.batch)).status_code == 200


def test_a_thousand_mails_cost_as_many_queries_as_ten(as_, acme, ada):
    sendings = []
    for count in (10, 1000):
        entries = Membership.objects.bulk_create(
            Membership(
                company=acme,
                email=f"{count}-{n}@acme.example",
                template=template(acme, MEMBER),
            )
            for n in range(count)
        )
        sendings.append(Invitation.objects.send(entries, ada.user))
    client = as_(ada)
    counts = []
    for sending in sendings:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(page_of(sending.batch))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
    assert len(answer.context["mails"]) == 100
    assert "Page 1 of 10" in words(answer)
