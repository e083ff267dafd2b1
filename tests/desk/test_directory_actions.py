"""The verbs of the directory: inviting, again, revoking, first passwords."""

import re

import pytest

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership
from invitations.models import Invitation
from tests.cast import PASSWORD, add_entry, add_member, let_an_hour_pass, link_in, work

DIRECTORY = "/admin/companies/membership/"


def run(client, action, *entries, **more):
    data = {"action": action, "_selected_action": [entry.pk for entry in entries]}
    return client.post(DIRECTORY, data | more, follow=True)


def messages(answer):
    """What was told, without the link to the page that shows the mails arrive."""
    said = map(str, answer.context["messages"])
    return [re.sub(" <a .*See (?:it|them) arrive</a>", "", text) for text in said]


def passwords(answer):
    return re.findall(r"<code[^>]*>(\w+)</code>", answer.content.decode())


@pytest.fixture
def people(acme):
    return [
        add_entry(acme, f"p{n}@acme.example", first_name=f"P{n}") for n in range(12)
    ]


def test_inviting_one_sends_one_mail(as_, ada, people, mailoutbox):
    answer = run(as_(ada), "invite", people[0])
    assert messages(answer) == ["The invitation is on its way."]
    assert "See it arrive" in answer.content.decode()
    work()
    [letter] = mailoutbox
    assert letter.to == [people[0].email]
    assert Invitation.objects.get().invited_by == ada.user


def test_inviting_many_is_told_in_one_sentence(as_, ada, people):
    answer = run(as_(ada), "invite", *people, apply="Invite")
    assert messages(answer) == ["12 invitations are on their way."]
    assert "See them arrive" in answer.content.decode()


def test_who_has_an_invitation_is_not_invited_anew(as_, ada, ivo, people):
    """The link that works would die; others are invited all the same."""
    answer = run(as_(ada), "invite", ivo.membership, people[0])
    assert messages(answer) == [
        "The invitation is on its way.",
        "Ivo Novak: Invited already: use ‘Send the invitation again’.",
    ]
    ivo.refresh_from_db()
    assert ivo.version == 1


@pytest.mark.parametrize("query", ["", "?status=not_invited", "?q=p0"])
def test_the_invited_are_not_told_to_be_invited_already(as_, ada, people, query):
    """What was read before the verb counts, also where the list is filtered by it."""
    data = {"action": "invite", "_selected_action": [people[0].pk]}
    answer = as_(ada).post(DIRECTORY + query, data, follow=True)
    assert messages(answer) == ["The invitation is on its way."]


def test_an_expired_invitation_is_sent_again_by_either_verb(as_, ada, ivo):
    for version, action in ((2, "invite"), (3, "send_again")):
        let_an_hour_pass(ivo.membership)
        Invitation.objects.filter(pk=ivo.pk).update(
            sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
        )
        run(as_(ada), action, ivo.membership)
        ivo.refresh_from_db()
        assert (ivo.version, ivo.is_expired) == (version, False)


def test_sending_again_kills_the_old_link(as_, ada, client, ivo, people, mailoutbox):
    """T4."""
    work()
    let_an_hour_pass(ivo.membership)
    answer = run(as_(ada), "send_again", ivo.membership, people[0])
    assert messages(answer) == [
        "The invitation is on its way.",
        "P0: No open invitation: use ‘Invite’.",
    ]
    work()
    old, new = (link_in(letter) for letter in mailoutbox)
    assert "newer invitation" in client.get(old, follow=True).content.decode()
    assert "Create a Password" in client.get(new, follow=True).content.decode()


def test_revoking_ends_what_is_open_and_says_how_many(as_, ada, ivo, people):
    answer = run(as_(ada), "revoke", ivo.membership, people[0])
    assert messages(answer) == [
        "The invitation is revoked.",
        "P0: No open invitation.",
    ]
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.REVOKED
    answer = run(as_(ada), "revoke", ivo.membership)
    assert messages(answer) == ["Ivo Novak: No open invitation."]


@pytest.mark.parametrize("action", ["invite", "first_password"])
def test_joined_and_inactive_people_are_refused_with_the_reason(
    as_, ada, max_, people, action
):
    Membership.objects.filter(pk=people[0].pk).update(is_active=False)
    answer = run(as_(ada), action, max_, people[0])
    assert sorted(messages(answer)) == [
        "Max Weber: Joined already.",
        "P0: The entry is not active: activate it first.",
    ]
    assert not Invitation.objects.exists()


def test_all_of_a_page_are_named_and_more_are_counted(as_, ada, people):
    """Of whom nothing was done is read by name; only a list of thousands is cut."""
    others = [add_entry(ada.company, f"q{n}@b.example") for n in range(101)]
    Membership.objects.filter(company=ada.company, user=None).update(is_active=False)
    [message] = messages(run(as_(ada), "invite", *others[:100], apply="Invite"))
    assert "more" not in message
    assert all(entry.email in message for entry in others[:100])
    [message] = messages(run(as_(ada), "invite", *others, apply="Invite"))
    assert message.endswith(" and 1 more: The entry is not active: activate it first.")


@pytest.mark.parametrize("action", ["invite", "first_password"])
def test_without_terms_nobody_is_invited(as_, db, action):
    """Only operators get in then, and read what to run."""
    operator = User.objects.create_superuser("olga@operator.example", PASSWORD)
    entry = add_entry(Company.objects.create(name="Acme"), "kim@acme.example")
    [message] = messages(run(as_(operator), action, entry))
    assert "publish_terms" in message
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("action", ["invite", "send_again", "revoke", "first_password"])
def test_each_verb_is_on_the_page_of_the_person_too(as_, ada, ivo, action):
    client = as_(ada)
    let_an_hour_pass(ivo.membership)
    path = f"{DIRECTORY}{ivo.membership_id}/change/"
    assert f'value="{action}"' in client.get(path).content.decode()
    data = {"CHANGE_FORM-action": action, "_selected_action": ivo.membership_id}
    before = AuditEvent.objects.count()
    answer = client.post(path, data, follow=True)
    assert answer.status_code == 200
    assert AuditEvent.objects.count() - before == (0 if action == "invite" else 1)


def test_a_first_password_is_shown_once(as_, ada, people):
    """S6, T55: it lies nowhere but as a hash, and no page gives it again."""
    client = as_(ada)
    answer = run(client, "first_password", people[0])
    [word] = passwords(answer)
    assert len(word) >= 16
    assert "Shown only this once" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    for path in (
        DIRECTORY,
        f"{DIRECTORY}{people[0].pk}/change/",
        f"{DIRECTORY}{people[0].pk}/history/",
        f"/admin/invitations/invitation/{Invitation.objects.get().pk}/change/",
    ):
        page = client.get(path).content.decode()
        assert word not in page
        assert Invitation.objects.get().first_password not in page
    events = AuditEvent.objects.filter(kind=AuditEvent.Kind.FIRST_PASSWORD_MADE)
    assert word not in str(events.values_list("facts", "about_label"))


def test_each_gets_a_first_password_of_their_own(as_, ada, ivo, max_, people):
    """T55: joined people are refused beside the others."""
    answer = run(as_(ada), "first_password", ivo.membership, max_, *people[:2])
    assert len(set(passwords(answer))) == 3
    assert "Max Weber: Joined already." in messages(answer)


def test_who_has_a_log_in_elsewhere_gets_the_same_answer(as_, ada, globex, people):
    """T22, T55: the sentence about an own log-in is there in every case."""
    known = add_entry(ada.company, add_member(globex, "kim@both.example").email)
    pages = [run(as_(ada), "first_password", entry) for entry in (known, people[0])]
    for page in pages:
        assert len(passwords(page)) == 1
        assert "already has a log-in uses their own" in page.content.decode()


def test_fifty_first_passwords_are_the_most_at_once(as_, ada, acme, settings):
    """T30: each one costs a hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    entries = [add_entry(acme, f"m{n}@acme.example") for n in range(51)]
    answer = run(as_(ada), "first_password", *entries)
    assert messages(answer) == ["Choose 50 people at most at a time."]
    assert not Invitation.objects.exists()
    assert len(passwords(run(as_(ada), "first_password", *entries[:50]))) == 50
