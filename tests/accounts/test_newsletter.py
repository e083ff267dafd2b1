"""S12: the newsletter is asked for, and left again, whenever one likes."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User

PAGE = reverse("accounts:newsletter")


@pytest.fixture
def reader(max_):
    user = max_.user
    user.subscribe()
    user.refresh_from_db()
    return user


def link(user):
    return reverse("accounts:unsubscribe", args=[user.newsletter_token])


def is_subscribed(user):
    return User.objects.get(pk=user.pk).newsletter_since is not None


def test_switch_on_the_own_page(as_, max_):
    client = as_(max_)
    assert not client.get(PAGE).context["form"]["newsletter"].value()
    client.post(PAGE, {"newsletter": "on"})
    assert is_subscribed(max_.user)
    assert client.get(PAGE).context["form"]["newsletter"].value()
    client.post(PAGE, {})
    assert not is_subscribed(max_.user)


def test_asking_again_keeps_since_when(reader, time_machine):
    since = reader.newsletter_since
    time_machine.move_to(since + timedelta(hours=1))
    reader.subscribe()
    assert User.objects.get(pk=reader.pk).newsletter_since == since


def test_link_unsubscribes_by_a_post_alone(client, reader):
    """T1: scanners open it."""
    assert (
        "Unsubscribe from the newsletter?" in client.get(link(reader)).content.decode()
    )
    assert is_subscribed(reader)
    client.post(link(reader))
    assert not is_subscribed(reader)


@pytest.mark.parametrize(
    "change",
    [lambda token: token.upper(), lambda token: token[:-2], lambda token: "1"],
    ids=["altered", "cut", "not signed"],
)
def test_altered_link_is_not_there(client, reader, change):
    address = reverse("accounts:unsubscribe", args=[change(reader.newsletter_token)])
    assert client.post(address).status_code == 404
    assert is_subscribed(reader)


def test_operator_finds_and_exports_the_readers(as_, olga, reader, ada, client):
    """T47: no cell is a formula."""
    User.objects.filter(pk=ada.user.pk).update(
        email="=cmd@acme.example", newsletter_since=timezone.now()
    )
    users = reverse("admin:accounts_user_changelist")
    text = as_(olga).get(users, {"newsletter": "yes"}).content.decode()
    assert reader.email in text
    assert olga.email not in text.split("result_list")[1]
    chosen = list(User.objects.values_list("pk", flat=True))
    data = {"action": "export_newsletter", "_selected_action": chosen}
    answer = as_(olga).post(users, data)
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {reader.email, "'=cmd@acme.example"}
    [mine] = [row for row in rows if row[0] == reader.email]
    client.post(mine[2].replace("http://127.0.0.1:8000", ""))
    assert not is_subscribed(reader)
