"""The link in the mail: what opening it does, and what it never does (T1 to T7)."""

from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Invitation
from invitations.models.invitation import TOKEN_SALT
from invitations.openings import looks_like_scanner
from tests.cast import add_entry, invite
from tests.steps import (
    JOIN,
    agree,
    follow,
    is_logged_in,
    join_page,
    link_of,
    rows,
    set_password,
    text,
)

SCANNERS = [
    "Mozilla/5.0 (compatible; Microsoft Office/16.0; SafeLinks)",
    "Proofpoint URL Defense",
    "Mimecast-URL-Protect",
    "BarracudaCentral/1.0",
    "python-requests/2.32",
]


def test_fifty_openings_change_nothing(client, ivo):
    """T1: scanners open every link, with GET and HEAD; the person then joins.

    A record of the openings is all that they add, and only of the first fifty.
    """
    before = rows()
    for number in range(55):
        ask = client.head if number % 2 else client.get
        agent = SCANNERS[number % len(SCANNERS)]
        answer = ask(link_of(ivo), headers={"User-Agent": agent})
        assert answer.status_code == 302
        assert ask(answer.url, headers={"User-Agent": agent}).status_code == 200
        client.cookies.clear()
    after = rows()
    events = after.pop("audit.AuditEvent")
    kept = before.pop("audit.AuditEvent")
    assert after == before
    assert events[: len(kept)] == kept
    assert [event["kind"] for event in events[len(kept) :]] == ["link_opened"] * 50

    follow(client, ivo)
    set_password(client, ivo)
    agree(client)
    assert User.objects.get(email=ivo.sent_to).memberships.count() == 1


def openings(invitation):
    events = AuditEvent.objects.filter(kind=AuditEvent.Kind.LINK_OPENED)
    return list(events.filter(about_id=invitation.membership_id).order_by("id"))


def test_an_opening_is_written_down_in_the_company(client, ivo):
    """With version, method and the program's own words, as far as they are words."""
    agent = "Mozilla/5.0 (é\x00\x1b[31m) " + "x" * 300
    client.get(link_of(ivo), headers={"User-Agent": agent})
    client.head(link_of(ivo))
    first, second = openings(ivo)
    assert (first.company, first.actor) == (ivo.company, None)
    assert first.about_label == "Ivo Novak"
    assert first.facts["agent"].startswith("Mozilla/5.0 (é[31m) xxx")
    assert len(first.facts["agent"]) == 200
    assert second.facts == {"version": 1, "method": "HEAD", "agent": ""}


def test_an_old_link_is_written_down_too(client, ivo, ada):
    """Whoever holds an older mail is told apart from who never got one."""
    old = link_of(ivo)
    invite(ivo.membership, ada.user)
    assert client.get(old).status_code == 404
    assert [event.facts["version"] for event in openings(ivo)] == [1]


def test_each_version_keeps_fifty_openings(client, ivo, ada):
    for _ in range(51):
        client.get(link_of(ivo))
    ivo = invite(ivo.membership, ada.user)
    client.get(link_of(ivo))
    versions = [event.facts["version"] for event in openings(ivo)]
    assert versions == [1] * 50 + [2]


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@pytest.mark.parametrize(
    ("method", "agent", "seconds", "is_one"),
    [
        ("GET", FIREFOX, 60, False),
        ("GET", FIREFOX, 10, False),
        ("GET", FIREFOX, 9, True),
        ("GET", FIREFOX, None, False),
        ("HEAD", FIREFOX, 60, True),
        ("GET", "", 60, True),
        *[("GET", agent, 60, True) for agent in SCANNERS],
    ],
)
def test_what_looks_like_a_scanner(method, agent, seconds, is_one):
    event = AuditEvent(facts={"version": 1, "method": method, "agent": agent})
    mailed_at = seconds and event.at - timedelta(seconds=seconds)
    assert looks_like_scanner(event, mailed_at) is is_one


def test_joining_needs_a_post_with_a_csrf_token(ivo):
    """T1, T46."""
    client = Client(enforce_csrf_checks=True)
    follow(client, ivo)
    assert set_password(client, ivo).status_code == 403
    assert client.get(JOIN, {"i": ivo.public_id, "password1": "x"}).status_code == 200
    assert not User.objects.filter(email=ivo.sent_to).exists()


def test_no_page_sends_its_form_by_itself(client, ivo):
    """T1: no script does, and no typed field is filled in."""
    page = text(follow(client, ivo))
    assert "autofocus" not in page
    assert ".submit(" not in page
    assert 'type="password" name="password1" autocomplete="new-password"' in page


def test_the_token_leaves_the_address_at_once(client, ivo):
    """T2: what follows names the invitation by an id that is no secret."""
    answer = client.get(link_of(ivo))
    assert answer.status_code == 302
    assert answer.url == join_page(ivo)
    assert ivo.token not in answer.url
    for each in (answer, client.get(answer.url)):
        assert each["Referrer-Policy"] == "same-origin"
        assert "no-store" in each["Cache-Control"]
        assert ivo.token not in text(each)


def test_the_public_id_alone_opens_nothing(client, ivo):
    """T2: it works only with the session that followed the link."""
    answer = client.get(join_page(ivo))
    assert answer.status_code == 404
    assert "Open the link in the mail again" in text(answer)
    assert reverse("account_reset_password") in text(answer)
    answer = set_password(client, ivo)
    assert answer.status_code == 404
    assert not User.objects.filter(email=ivo.sent_to).exists()


def test_no_redirect_puts_a_token_into_next(ivo, as_, ada):
    """T2: not even the gate of the terms."""
    from invitations.models import Terms

    client = as_(ada)
    Terms.objects.publish("2026-02", "New.", None)
    answer = client.get(link_of(ivo), follow=True)
    assert all(ivo.token not in url for url, _ in answer.redirect_chain)
    key = (
        f"{user_pk_to_url_str(ada.user)}-{default_token_generator.make_token(ada.user)}"
    )
    reset = reverse("account_reset_password_from_key", args=["UID", "KEY"])
    answer = client.get(reset.replace("UID-KEY", key), follow=True)
    assert all(key not in url for url, _ in answer.redirect_chain)


def test_sent_again_the_older_link_dies(client, ivo, ada):
    """T4: and the page says that there is a newer one."""
    older = link_of(ivo)
    follow(client, ivo)
    newer = invite(ivo.membership, ada.user)
    assert newer.pk == ivo.pk
    for answer in (client.get(older), client.get(join_page(ivo))):
        assert answer.status_code == 404
        assert "A newer invitation has been sent" in text(answer)
    # The form that is open in the meantime is refused when it is sent.
    answer = set_password(client, ivo)
    assert answer.status_code == 404
    assert not User.objects.filter(email=ivo.sent_to).exists()
    assert "Create a Password" in text(follow(client, newer))


def test_a_corrected_address_kills_the_link(client, ivo):
    """T4: also before the invitation is sent again."""
    follow(client, ivo)
    entry = ivo.membership
    entry.email = "ivo.novak@subco.example"
    entry.save()
    for answer in (client.get(link_of(ivo)), set_password(client, ivo)):
        assert answer.status_code == 404
        assert "A newer invitation has been sent" in text(answer)


def test_a_revoked_link_is_no_longer_valid(client, ivo, ada):
    """T4."""
    follow(client, ivo)
    Invitation.objects.filter(pk=ivo.pk).revoke(ada.user)
    for answer in (client.get(link_of(ivo)), set_password(client, ivo)):
        assert answer.status_code == 404
        assert "This invitation is no longer valid" in text(answer)


@pytest.mark.parametrize("state", ["revoked", "declined", "held"])
def test_a_dead_link_names_the_company_and_leads_on(client, ivo, as_, max_, state):
    """T4: the mail named it, too; whoever is logged in need not log in."""
    rows = Invitation.objects.filter(pk=ivo.pk)
    link = link_of(ivo)
    if state == "held":
        rows.update(held_at=ivo.sent_at)
    elif state == "revoked":
        rows.revoke(None)
    else:
        ivo.decline(ivo.version)
    page = text(client.get(link))
    assert "the Company Administrator of Acme Construction" in page
    assert f'href="{reverse("account_login")}">Log In</a>' in page
    assert "Go to the start</a>" in text(as_(max_).get(link))


@pytest.mark.parametrize("what", ["membership", "company"])
def test_a_link_of_what_was_switched_off_is_no_longer_valid(client, ivo, what):
    """T18b: a closed company's can't be accepted, and no entry's that is inactive."""
    follow(client, ivo)
    type(getattr(ivo, what)).objects.filter(pk=getattr(ivo, what).pk).update(
        is_active=False
    )
    for answer in (client.get(link_of(ivo)), set_password(client, ivo)):
        assert answer.status_code == 404
        assert "This invitation is no longer valid" in text(answer)


def test_an_expired_link_is_refused(client, ivo, time_machine):
    """T5: from the very moment on that its row names."""
    time_machine.move_to(ivo.expires_at - timedelta(seconds=1), tick=False)
    assert "Create a Password" in text(follow(client, ivo))
    time_machine.move_to(ivo.expires_at, tick=False)
    for answer in (client.get(link_of(ivo)), set_password(client, ivo)):
        assert answer.status_code == 404
        assert "This invitation has expired" in text(answer)
        assert reverse("account_reset_password") in text(answer)
    assert not User.objects.filter(email=ivo.sent_to).exists()


def signed(public_id, version, salt=TOKEN_SALT):
    return signing.Signer(salt=salt).sign_object([public_id, version])


@pytest.fixture
def bad_tokens(ivo, ada):
    token = ivo.token
    other = signed(ivo.public_id, ivo.version, salt="something.else")
    reset = default_token_generator.make_token(ada.user)
    address = ada.user.emailaddress_set.get()
    return {
        "tampered": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "tampered in the middle": token.replace(":", ".", 1),
        "cut": token[:-4],
        "cut before the signature": token.rpartition(":")[0],
        "doubled": token + token,
        "nothing in it": ":",
        "not one": "hello",
        "with NUL": token + "\0",
        "all NUL": "\0",
        "100 kB": "A" * 100_000,
        "100 kB behind": token + "A" * 100_000,
        "not ASCII": "é漢" + token,
        "of another purpose": other,
        "of a reset": f"{user_pk_to_url_str(ada.user)}-{reset}",
        "of a confirmation": EmailConfirmationHMAC(address).key,
        "of no row": signed("x" * 22, 1),
    }


def test_a_token_that_says_nothing_is_not_found(client, bad_tokens):
    """T6: 404, and nothing is written."""
    before = rows()
    for name, token in bad_tokens.items():
        answer = client.get(reverse("invitations:link", args=[token]))
        assert (name, answer.status_code) == (name, 404)
        assert "This link can’t be used" in text(answer)
    assert rows() == before


def test_an_invitation_is_no_reset_and_confirms_nothing(client, ivo, ada):
    """T6: the other way round."""
    token = ivo.token
    reset = reverse(
        "account_reset_password_from_key",
        args=[user_pk_to_url_str(ada.user), "KEY"],
    ).replace("KEY", token)
    assert "This link can’t be used" in text(client.get(reset))
    answer = client.get(reverse("account_confirm_email", args=[token]))
    assert "This link can’t be used" in text(answer)
    assert (
        client.post(reverse("account_confirm_email", args=[token])).status_code == 404
    )


def test_guessing_is_limited(client, ivo):
    """T7: 20 failures a minute for an address, then 429; good links go on working."""
    bad = reverse("invitations:link", args=["guess"])
    answers = [client.get(bad).status_code for _ in range(21)]
    assert answers == [404] * 20 + [429]
    assert client.head(bad).status_code == 429
    assert client.get(link_of(ivo)).status_code == 302
    assert client.get(bad, REMOTE_ADDR="198.51.100.7").status_code == 404


def test_the_session_gets_a_new_id_when_somebody_joins(client, ivo):
    """T31: nothing is carried but the invitations that were opened."""
    follow(client, ivo)
    before = client.session.session_key
    session = client.session
    set_password(client, ivo)
    assert is_logged_in(client)
    assert client.session.session_key != before
    assert not session.exists(before)
    carried = set(client.session.keys()) - {"_auth_user_id", "_auth_user_hash"}
    carried.remove("_auth_user_backend")
    assert carried <= {"invitations", "_session_expiry"}


def test_a_planted_session_does_not_answer_what_its_reader_opened(ivo, max_, as_):
    """T31: Max, who is logged in there too, would sign out, continue and be Ivo."""
    victim, thief = as_(max_), Client()
    thief.cookies.load(victim.cookies.output(header=""))
    assert "another address" in text(follow(victim, ivo))
    answer = thief.post(reverse("invitations:sign-out"), {"invitation": ivo.public_id})
    assert thief.get(answer.url).status_code == 404
    assert set_password(thief, ivo).status_code == 404
    # Who was logged in still is, and finds this session in the list.
    sessions = victim.get(reverse("usersessions_list")).context["sessions"]
    assert [each.session_key for each in sessions] == [victim.session.session_key]


def test_nor_does_one_that_was_planted_before_anybody_logged_in(client, ivo, acme, ada):
    """T31: a link of the thief's own made that session."""
    thief = Client()
    follow(thief, invite(add_entry(acme, "thief@subco.example"), ada.user))
    client.cookies.load(thief.cookies.output(header=""))
    follow(client, ivo)
    assert set_password(thief, ivo).status_code == 404
    assert set_password(client, ivo).status_code == 302
    assert User.objects.get(email=ivo.sent_to).is_proven


def test_a_session_keeps_five_links(client, acme, ada):
    """T2: the oldest is forgotten first."""
    invitations = [
        invite(add_entry(acme, f"person{number}@subco.example"), ada.user)
        for number in range(6)
    ]
    for each in invitations:
        follow(client, each)
    answers = [client.get(join_page(each)).status_code for each in invitations]
    assert answers == [404] + [200] * 5
