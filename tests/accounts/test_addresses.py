"""The canonical form of an address, and every door that takes one (T11)."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.addresses import SENTENCES, canonical_email
from accounts.models import User
from companies.models import Membership
from tests.cast import add_entry, add_user, template, work
from tests.steps import FORGOT, is_logged_in, log_in

SAME = [
    ("ivo@subco.example", "ivo@subco.example"),
    ("  Ivo@SubCo.Example\n", "ivo@subco.example"),
    ("i.v.o+site@subco.example", "i.v.o+site@subco.example"),
    ("ivo@BÜCHER.example", "ivo@xn--bcher-kva.example"),
    ("ivo@xn--bcher-kva.example", "ivo@xn--bcher-kva.example"),
    ("ivo@bücher。example", "ivo@xn--bcher-kva.example"),
    ("ivo@пример.example", "ivo@xn--e1afmkfd.example"),
    ("ivo@straße.example", "ivo@xn--strae-oqa.example"),
    ("o'neill_%-3@subco.example", "o'neill_%-3@subco.example"),
]

REFUSED = [
    ("", "email_invalid"),
    ("ivo", "email_invalid"),
    ("@subco.example", "email_invalid"),
    ("ivo@", "email_invalid"),
    ("ivo@a@subco.example", "email_invalid"),
    ("ivo novak@subco.example", "email_invalid"),
    ('"ivo"@subco.example', "email_invalid"),
    ("ivo,gina@subco.example", "email_invalid"),
    ("<ivo@subco.example>", "email_invalid"),
    ("ivo@subco.example,gina@globex.example", "email_invalid"),
    ("ivo\0@subco.example", "email_control_character"),
    ("ivo@subco.example\r\nBcc: gina@globex.example", "email_control_character"),
    ("ivo\u200b@subco.example", "email_control_character"),
    ("ivo@sub\u00adco.example", "email_control_character"),
    ("\u202eivo@subco.example", "email_control_character"),
    ("ıvo@subco.example", "email_local_not_ascii"),  # dotless i
    ("\u212aim@subco.example", "email_local_not_ascii"),  # KELVIN SIGN
    ("müller@subco.example", "email_local_not_ascii"),
    ("ivo@localhost", "email_domain_not_public"),
    ("ivo@mail.localhost", "email_domain_not_public"),
    ("ivo@machine", "email_domain_not_public"),
    ("ivo@[127.0.0.1]", "email_domain_not_public"),
    ("ivo@127.0.0.1", "email_domain_not_public"),
    ("ivo@127.1", "email_domain_not_public"),
    ("ivo@0x7f.1", "email_domain_not_public"),
    ("ivo@subco.example.", "email_domain_not_public"),
    ("ivo@sub_co.example", "email_domain_invalid"),
    ("ivo@-subco.example", "email_domain_invalid"),
    ("ivo@subco..example", "email_domain_invalid"),
    ("ivo@" + "a" * 64 + ".example", "email_domain_invalid"),
    ("ivo@асme.example", "email_domain_mixes_scripts"),  # Cyrillic а and с
    ("ivo@xn--me-7kcc.example", "email_domain_mixes_scripts"),
    ("ivo@αcme.example", "email_domain_mixes_scripts"),  # Greek alpha
    ("i" * 65 + "@subco.example", "email_too_long"),
    (f"ivo@{'.'.join(['a' * 60] * 4)}.example", "email_too_long"),
]


@pytest.mark.parametrize(("typed", "canonical"), SAME)
def test_there_is_one_way_of_writing_an_address(typed, canonical):
    """T11: and writing it that way again changes nothing."""
    assert canonical_email(typed) == canonical
    assert canonical_email(canonical) == canonical


@pytest.mark.parametrize(("typed", "code"), REFUSED)
def test_what_can_not_be_decided_is_refused_with_a_sentence(typed, code):
    """T11."""
    with pytest.raises(ValidationError) as error:
        canonical_email(typed)
    assert error.value.code == code
    assert error.value.messages == [SENTENCES[code]]


@pytest.mark.parametrize("spelling", ["Ada@ACME.example ", "ADA@acme.example"])
def test_log_in_takes_any_spelling(client, ada, spelling):
    """S3, T11."""
    log_in(client, spelling)
    assert is_logged_in(client)


def test_log_in_takes_an_international_domain_in_both_forms(client, terms):
    """S3, T11."""
    add_user("ivo@bücher.example")
    log_in(client, "IVO@xn--bcher-kva.example")
    assert is_logged_in(client)


@pytest.mark.parametrize(("typed", "code"), [case for case in REFUSED if case[0]])
def test_a_page_says_what_is_wrong_with_an_address(client, db, typed, code):
    """T11: at log-in and at 'Forgot password', never with an error page."""
    for answer in (log_in(client, typed), client.post(FORGOT, {"email": typed})):
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert not User.objects.exists()


def test_a_reset_mail_goes_to_the_stored_address(client, ada, mailoutbox):
    """T13: never to the typed one."""
    client.post(FORGOT, {"email": " ADA@Acme.EXAMPLE"})
    work()
    [letter] = mailoutbox
    assert letter.to == ["ada@acme.example"]


@pytest.mark.parametrize("spelling", ["ada@acme.example", " ADA@Acme.Example"])
def test_a_natural_key_takes_any_spelling(ada, spelling):
    """Issue 2, item 2."""
    assert User.objects.get_by_natural_key(spelling) == ada.user


def test_what_is_saved_is_canonical(acme):
    """Issue 2, item 2: also where no form has looked at it."""
    entry = add_entry(acme, " Ivo@BÜCHER.example ")
    assert entry.email == "ivo@xn--bcher-kva.example"
    stored = Membership.objects.values_list("email", flat=True).get(pk=entry.pk)
    assert stored == "ivo@xn--bcher-kva.example"


def test_two_spellings_are_one_account(ada):
    """T11: the database says so too."""
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ADA@acme.example", is_proven=True)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as c:
        c.execute("UPDATE accounts_user SET email = 'Ada@acme.example'")


def test_two_spellings_are_one_entry(acme):
    """T11."""
    add_entry(acme, "ivo@subco.example")
    double = Membership(
        company=acme, email="IVO@subco.example", template=template(acme, "Member")
    )
    with pytest.raises(ValidationError, match="in your directory already"):
        double.full_clean()
