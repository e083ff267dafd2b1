"""The last four passwords are not taken again, by whichever door (S9, T30b)."""

from io import StringIO

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.urls import reverse

from accounts.models import User
from tests.cast import PASSWORD, link_in, work
from tests.steps import FORGOT, agree, follow, log_in, set_password

WORDS = [f"Concrete-Mixer-{number}" for number in range(1, 7)]


def is_refused(user, password):
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [each.code for each in error.error_list] == ["password_reused"]
    return False


def change(user, password):
    user.set_password(password)
    user.save()


def test_four_are_remembered_the_current_one_included(ada):
    """S9: the fifth-oldest is allowed again."""
    user = ada.user
    for word in WORDS[:4]:
        change(user, word)
    assert [is_refused(user, word) for word in WORDS[:4]] == [True] * 4
    assert not is_refused(user, PASSWORD)
    assert not is_refused(user, WORDS[4])

    change(user, WORDS[4])
    assert not is_refused(user, WORDS[0])
    assert [is_refused(user, word) for word in WORDS[1:5]] == [True] * 4
    assert user.password_history.count() == 4


@pytest.mark.parametrize("word", ["Short-1", "no-upper-case-1", "Long-1" + "x" * 300])
def test_no_hash_is_spent_on_what_is_refused_anyway(ada, hashes, word):
    """T30b: the cheap rules come first."""
    with pytest.raises(ValidationError):
        validate_password(word, ada.user)
    assert hashes == []


def test_the_history_holds_hashes_and_is_shown_nowhere(ada, as_, olga):
    """T30b."""
    entry = ada.user.password_history.get()
    assert PASSWORD not in entry.password
    page = as_(olga).get(reverse("admin:accounts_user_change", args=[ada.user.pk]))
    assert entry.password not in page.content.decode()
    assert "password" not in page.context["adminform"].form.fields


def test_the_page_of_change_refuses_a_former_password(ada, as_):
    """S9."""
    client = as_(ada)
    page = reverse("account_change_password")
    given = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post(page, given)
    assert "You have used this password before" in answer.content.decode()

    fresh = given | {"password1": WORDS[0], "password2": WORDS[0]}
    assert client.post(page, fresh).status_code == 302
    back = {"oldpassword": WORDS[0], "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post(page, back)
    assert answer.context["form"].has_error("password1", "password_reused")
    ada.user.refresh_from_db()
    assert ada.user.check_password(WORDS[0])


def test_the_page_of_change_asks_for_the_current_password(ada, as_):
    """T36: with a sentence of our own."""
    given = {"oldpassword": "no", "password1": WORDS[0], "password2": WORDS[0]}
    answer = as_(ada).post(reverse("account_change_password"), given)
    assert "This is not your current password." in answer.content.decode()


def test_a_reset_refuses_a_former_password(client, ada, mailoutbox):
    """S9."""
    client.post(FORGOT, {"email": "ada@acme.example"})
    work()
    page = client.get(link_in(mailoutbox[0]), follow=True)
    [form] = [page.redirect_chain[-1][0]]
    answer = client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    assert answer.context["form"].has_error("password1", "password_reused")
    assert client.post(form, {"password1": WORDS[0], "password2": WORDS[0]}).url == (
        reverse("account_reset_password_from_key_done")
    )
    ada.user.refresh_from_db()
    assert [is_refused(ada.user, word) for word in (PASSWORD, WORDS[0])] == [True, True]


def test_joining_writes_the_first_entry(client, ivo):
    """S9: the password that was created counts as the current one."""
    follow(client, ivo)
    set_password(client, ivo, WORDS[0])
    user = User.objects.get(email="ivo@subco.example")
    assert is_refused(user, WORDS[0])
    agree(client)
    given = {"oldpassword": WORDS[0], "password1": WORDS[0], "password2": WORDS[0]}
    answer = client.post(reverse("account_change_password"), given)
    assert answer.context["form"].has_error("password1", "password_reused")


def test_createsuperuser_writes_the_first_entry(db, monkeypatch):
    """S9: the operator's too."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", WORDS[0])
    call_command(
        "createsuperuser", email="Root@Operator.example", interactive=False, verbosity=0
    )
    user = User.objects.get(email="root@operator.example")
    assert user.is_superuser
    assert user.is_proven
    assert is_refused(user, WORDS[0])


def test_an_unusable_password_is_not_remembered(db):
    """T30b."""
    user = User.objects.create_superuser("root@operator.example")
    assert not user.password_history.exists()


def test_a_hash_that_is_renewed_adds_no_entry(client, ada, settings):
    """T30b: changed parameters keep comparing."""
    fast, *others = settings.PASSWORD_HASHERS
    settings.PASSWORD_HASHERS = [*others, fast]
    before = ada.user.password
    log_in(client, "ada@acme.example")
    ada.user.refresh_from_db()
    assert ada.user.password != before
    assert ada.user.password_history.count() == 1
    assert is_refused(ada.user, PASSWORD)


@pytest.mark.parametrize("email", [" ADA@Acme.example", "ada@acme.example"])
def test_createsuperuser_refuses_a_taken_address(ada, email):
    """S1, T11: in whichever spelling."""
    from django.core.management import CommandError

    with pytest.raises(CommandError, match="already taken"):
        call_command(
            "createsuperuser", email=email, interactive=False, stdout=StringIO()
        )
    assert not User.objects.get(email="ada@acme.example").is_superuser


@pytest.mark.parametrize("email", ["not an address", "müller@acme.example", ""])
def test_createsuperuser_refuses_what_is_no_address(db, email):
    """T11: with a sentence, not with a traceback."""
    from django.core.management import CommandError

    with pytest.raises(CommandError):
        call_command(
            "createsuperuser", email=email, interactive=False, stdout=StringIO()
        )
    assert not User.objects.exists()
