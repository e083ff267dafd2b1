"""Correcting the addresses of people who haven't joined."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from companies.models import Membership
from tests.cast import add_entry, put_on
from tests.steps import follow, text


def correct(*pairs, by=None):
    typed = {entry.pk: address for entry, address in pairs}
    return Membership.objects.correct_addresses(typed, by)


def test_the_address_is_corrected_and_all_else_stays(ada, acme, tower):
    entry = add_entry(acme, "kim@gmial.example", first_name="Kim")
    grant = put_on(entry, tower)
    [corrected] = correct((entry, " Kim@GMAIL.example "), by=ada.user).corrected
    entry.refresh_from_db()
    assert corrected == entry
    assert (entry.email, entry.first_name) == ("kim@gmail.example", "Kim")
    assert entry.project_memberships.get() == grant
    event = AuditEvent.objects.about(entry).get()
    assert (event.kind, event.actor) == (AuditEvent.Kind.ENTRY_CHANGED, ada.user)
    assert event.facts == {"email": "kim@gmail.example", "before": "kim@gmial.example"}


def test_the_link_to_the_former_address_dies(client, ivo):
    """T4: before it is sent anew."""
    correct((ivo.membership, "ivo@other.example"))
    assert "A newer invitation has been sent" in text(follow(client, ivo))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("kim", "Enter an e-mail address such as"),
        ("", "Enter an e-mail address such as"),
        ("kim@localhost", "at a domain name"),
        ("MAX@acme.example", "in your directory already"),
        ("moved@acme.example", "in your directory already"),
        ("gina@globex.example", ""),  # of another company, which nobody is told
    ],
)
def test_what_can_not_be_the_address_is_refused(max_, gina, acme, address, sentence):
    """The log-in of a joined person is taken too, whatever their entry says."""
    max_.user.email = "moved@acme.example"
    max_.user.save()
    entry = add_entry(acme, "kim@acme.example")
    correcting = correct((entry, address))
    entry.refresh_from_db()
    if sentence:
        [(refused, words)] = correcting.refused
        assert refused == entry
        assert sentence in words
        assert entry.email == "kim@acme.example"
        assert not AuditEvent.objects.about(entry).exists()
    else:
        assert entry.email == address


def test_the_log_in_of_the_joined_is_their_own(max_):
    """T45."""
    [(refused, words)] = correct((max_, "other@acme.example")).refused
    max_.refresh_from_db()
    assert (refused, max_.email) == (max_, "max@acme.example")
    assert "has joined" in words


def test_two_do_not_get_one_address(acme):
    one, two = (add_entry(acme, f"{name}@acme.example") for name in ("one", "two"))
    correcting = correct((one, "kim@acme.example"), (two, "KIM@acme.example"))
    assert correcting.corrected == [one]
    assert [entry for entry, _ in correcting.refused] == [two]


def test_the_own_address_is_no_obstacle(acme):
    entry = add_entry(acme, "kim@acme.example")
    assert correct((entry, "KIM@acme.example")).corrected == [entry]
    assert not AuditEvent.objects.about(entry).exists()  # nothing was changed


def test_an_address_of_another_company_stays_untold(acme, globex, gina):
    """T22: two companies' entries know nothing of each other."""
    ours = add_entry(acme, "kim@acme.example")
    theirs = add_entry(globex, "pat@globex.example")
    correcting = Membership.objects.filter(company=globex).correct_addresses(
        {ours.pk: "x@acme.example", theirs.pk: "y@globex.example"}, None
    )
    assert correcting.corrected == [theirs]
    ours.refresh_from_db()
    assert ours.email == "kim@acme.example"


@pytest.mark.parametrize("count", [3, 60])
def test_many_cost_as_many_queries_as_few(acme, count):
    entries = [add_entry(acme, f"p{n}@gmial.example") for n in range(count)]
    pairs = [(each, each.email.replace("gmial", "gmail")) for each in entries]
    with CaptureQueriesContext(connection) as queries:
        assert len(correct(*pairs).corrected) == count
    assert len(queries) <= 8  # two of them begin and end the transaction
