"""The source document, sentence by sentence, over HTTP (the browser walks it too)."""

from django.urls import reverse

from accounts.models import User
from tests.cast import add_entry, link_in, put_on, work

CHOSEN = "Gravel-Pit-22"


def test_journey(as_, client, ada, tower, bridge, mailoutbox):
    """Ada invites Ivo from the admin; he joins, agrees, leaves and comes back."""
    ivo = add_entry(ada.company, "ivo@subco.example", first_name="Ivo")
    put_on(ivo, tower, "Subcontractor – External")

    # S1: an account comes from a company; before the invitation there is none.
    assert client.get(reverse("account_signup")).templates[0].name == (
        "account/signup_closed.html"
    )
    assert not User.objects.filter(email=ivo.email).exists()

    # S2: the log-in page says whom to ask.
    page = client.get(reverse("account_login")).content.decode()
    assert "ask your Company Administrator" in page

    # Ada invites; the worker sends.
    directory = reverse("admin:companies_membership_changelist")
    answer = as_(ada).post(
        directory, {"action": "invite", "_selected_action": [ivo.pk]}, follow=True
    )
    assert "The invitation is on its way." in answer.content.decode()
    work()

    # S8: 'Welcome to Procore' has a Get Started link that opens in a new window.
    [letter] = mailoutbox
    assert letter.subject == "Welcome to Procore"
    assert letter.to == ["ivo@subco.example"]
    html = letter.alternatives[0].content
    assert "Get Started</a>" in html
    assert 'target="_blank"' in html
    link = link_in(letter)
    page = client.get(link, follow=True)
    assert "Create a Password" in page.content.decode()
    assert link not in page.request["PATH_INFO"]

    # S9, S10: each requirement is listed, and the server checks it.
    text = page.content.decode()
    for sentence in ("At least 8 characters", "At least one numeric character"):
        assert sentence in text
    join = reverse("invitations:join")
    form = page.context["form"]
    given = {"invitation": form["invitation"].value()}
    answer = client.post(join, given | {"password1": "short", "password2": "short"})
    assert "At least 8 characters" in str(answer.context["form"].errors) or (
        "at least 8 characters" in str(answer.context["form"].errors)
    )

    # S11: Confirm has to be the same.
    answer = client.post(join, given | {"password1": CHOSEN, "password2": CHOSEN + "x"})
    assert "differ" in str(answer.context["form"].errors["password2"])

    # S12: the newsletter is optional and unticked. S13: Set Password.
    assert not page.context["form"]["newsletter"].value()
    assert "Set Password" in text
    answer = client.post(
        join, given | {"password1": CHOSEN, "password2": CHOSEN}, follow=True
    )

    # S15: nothing but the terms can be reached before they are agreed to.
    assert answer.redirect_chain[-1][0].startswith(reverse("invitations:terms"))
    assert client.get(ada.company.get_absolute_url()).status_code == 302

    # S14: the box is ticked, then Agree.
    form = answer.context["form"]
    terms = {"version": form["version"].value()}
    answer = client.post(reverse("invitations:terms"), terms)
    assert "Tick the box" in str(answer.context["form"].errors)
    answer = client.post(
        reverse("invitations:terms"), terms | {"agree": "on"}, follow=True
    )

    # S7: one company, straight in. S4: only what was granted.
    assert answer.request["PATH_INFO"] == ada.company.get_absolute_url()
    assert "Harbour Tower" in answer.content.decode()
    assert "Mill Bridge" not in answer.content.decode()
    assert client.get(tower.get_absolute_url()).status_code == 200
    assert client.get(bridge.get_absolute_url()).status_code == 404
    assert client.get(bridge.company.get_absolute_url()).status_code == 404
    assert client.get(reverse("admin:index")).status_code == 403

    # S3, S5: he logs out and in again, with the address that the invitation went to.
    client.post(reverse("account_logout"))
    assert client.get(tower.get_absolute_url()).status_code == 302
    answer = client.post(
        reverse("account_login"),
        {"login": " IVO@SubCo.example ", "password": CHOSEN},
        follow=True,
    )
    assert answer.request["PATH_INFO"] == ada.company.get_absolute_url()

    # S6: Ada hands a first password over to Zoe, whom no mail reaches.
    zoe = add_entry(ada.company, "zoe@subco.example", first_name="Zoe")
    put_on(zoe, tower, "Subcontractor – External")
    answer = as_(ada).post(
        directory, {"action": "first_password", "_selected_action": [zoe.pk]}
    )
    [(_, word)] = answer.context["passwords"]
    client.post(reverse("account_logout"))
    given = {"login": zoe.email, "password": word}
    answer = client.post(reverse("account_login"), given, follow=True)
    assert "Create a Password" in answer.content.decode()
    assert client.get(tower.get_absolute_url()).status_code == 302
    given = {"invitation": answer.context["form"]["invitation"].value()}
    given |= {"password1": CHOSEN, "password2": CHOSEN}
    answer = client.post(join, given, follow=True)
    given = {"version": answer.context["form"]["version"].value(), "agree": "on"}
    answer = client.post(reverse("invitations:terms"), given, follow=True)
    assert answer.request["PATH_INFO"] == ada.company.get_absolute_url()
    assert "Harbour Tower" in answer.content.decode()
    assert len(mailoutbox) == 1
