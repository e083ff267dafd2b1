"""Inviting, sending again and revoking ask first where many people are reached."""

import pytest

from desk.forms import ASKED_FROM
from desk.status import Status
from invitations.models import Delivery, Invitation
from tests.cast import add_entry, invite, let_an_hour_pass
from tests.desk.test_directory_actions import DIRECTORY, messages, run

ASKING = {"invite": "Invite", "send_again": "Send again", "revoke": "Revoke"}
BOX = 'name="again"'


def add_people(ada, count, *, invited=False):
    people = [add_entry(ada.company, f"p{n}@acme.example") for n in range(count)]
    if invited:
        Invitation.objects.send(people, ada.user)
        let_an_hour_pass(*people)
    return people


@pytest.fixture
def said_no(ada):
    """One who has declined, and one whose invitation was revoked."""
    kim = add_entry(ada.company, "kim@subco.example", first_name="Kim")
    lee = add_entry(ada.company, "lee@subco.example", first_name="Lee")
    invite(kim, ada.user).decline(1)
    invite(lee, ada.user)
    Invitation.objects.filter(membership=lee).revoke(ada.user)
    let_an_hour_pass(kim, lee)
    return kim, lee


def written():
    """What the three actions write: invitations, and mails."""
    rows = Invitation.objects.order_by("pk").values_list("state", "version")
    return list(rows), Delivery.objects.count()


@pytest.mark.parametrize("action", ASKING)
@pytest.mark.parametrize("count", [ASKED_FROM - 1, ASKED_FROM])
def test_many_are_reached_once_it_was_confirmed(as_, ada, action, count):
    people = add_people(ada, count, invited=action != "invite")
    client, before = as_(ada), written()
    answer = run(client, action, *people)
    if count == ASKED_FROM:
        assert written() == before
        page = answer.content.decode()
        assert f"{count} chosen" in page
        assert f'name="apply" value="{ASKING[action]}"' in page
        answer = run(client, action, *people, apply=ASKING[action])
    assert written() != before
    assert messages(answer)[0].startswith(f"{count} invitations are ")


@pytest.mark.parametrize("query", ["", "?status=not_in_yet", "?q=example"])
def test_the_page_that_asks_says_how_many_stand_where(as_, ada, max_, said_no, query):
    people = add_people(ada, ASKED_FROM)
    Invitation.objects.send(people[:3], ada.user)
    data = {"action": "invite", "_selected_action": people[0].pk, "select_across": "1"}
    page = as_(ada).post(DIRECTORY + query, data).content.decode()
    stand = "Not invited: 7 · Invited: 3 · Revoked: 1 · Declined: 1"
    joined = "" if "status" in query else " · Joined: 2"
    assert f'<p class="story">{stand}{joined}</p>' in page


def test_who_has_said_no_is_invited_only_by_the_box(as_, ada, said_no):
    """Also where few are chosen: it is asked, as there is something to ask."""
    client, new = as_(ada), add_people(ada, 1)
    assert BOX in run(client, "invite", *new, *said_no).content.decode()
    assert not Invitation.objects.pending().exists()
    answer = run(client, "invite", *new, *said_no, apply="Invite")
    assert messages(answer) == [
        "The invitation is on its way.",
        "Kim: Declined, and left out: tick the box to invite again.",
        "Lee: Revoked, and left out: tick the box to invite again.",
    ]
    answer = run(client, "invite", *said_no, apply="Invite", again="on")
    assert messages(answer) == ["2 invitations are on their way."]


def test_the_box_is_there_for_those_it_is_about(as_, ada):
    answer = run(as_(ada), "invite", *add_people(ada, ASKED_FROM))
    assert "apply" in answer.content.decode()
    assert BOX not in answer.content.decode()


@pytest.mark.parametrize("number", [0, 1])
def test_one_person_is_chosen_on_purpose(as_, ada, said_no, number):
    """The page of their story offers it as the next step."""
    answer = run(as_(ada), "invite", said_no[number])
    assert messages(answer) == ["The invitation is on its way."]


def test_all_of_a_filtered_list_are_invited_after_it_asked(as_, ada, said_no):
    people = add_people(ada, ASKED_FROM)
    data = {"action": "invite", "_selected_action": people[0].pk, "select_across": "1"}
    path = f"{DIRECTORY}?status={Status.NOT_INVITED}"
    page = as_(ada).post(path, data).content.decode()
    assert 'name="select_across" value="1"' in page
    answer = as_(ada).post(path, data | {"apply": "Invite"}, follow=True)
    assert messages(answer) == ["10 invitations are on their way."]
