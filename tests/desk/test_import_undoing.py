"""Undo takes back what nothing has come of yet, and says of the rest why it stays."""

import threading
import time
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership, Project, ProjectMembership, Vendor
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from desk.imports.steps import step
from desk.models import Import
from desk.tasks import work_on_imports
from invitations.models import Delivery, Invitation
from tests.cast import (
    FOREMAN,
    add_entry,
    add_member,
    add_user,
    invite,
    let_an_hour_pass,
    put_on,
    template,
    work,
)
from tests.desk.lists import applied, csv_file, entry, kinds, reasons, undone

SUBCONTRACTOR = "Subcontractor – External"
HEADER = ["Mail", "Name", "Firm", "Project", "Role", "Company template"]


@pytest.fixture
def annex(acme):
    return Project.objects.create(company=acme, name="Annex", number="24-018")


@pytest.fixture
def imported(acme, ada, tower):
    """Import rows on Ada's behalf."""

    def bring(*rows, **fields):
        return applied(acme, csv_file(HEADER, *rows), ada.user, **fields)

    return bring


def new(name="rosa", project="24-017", role=SUBCONTRACTOR):
    return [f"{name}@subco.example", f"{name} Diaz", "Steel Co", project, role, ""]


def stored():
    """All that an import may write, but for the history."""
    models = (Membership, Vendor, ProjectMembership, Invitation, Delivery)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_all_of_it_goes_while_nothing_has_come_of_it(imported, ada, max_, annex):
    before = stored()
    source = imported(
        new(),
        new(project="24-018"),
        [max_.email, "Maxim Weber", "Steel Co", "24-017", SUBCONTRACTOR, ""],
        [max_.email, "", "", "24-018", FOREMAN, COMPANY_ADMINISTRATOR],
    )
    assert kinds(source) == ["new", "link", "change", "change"]
    assert stored() != before
    source = undone(source, ada.user)
    assert source.state == Import.State.UNDONE
    assert kinds(source) == ["undone"] * 4, reasons(source)
    assert stored() == before


def test_it_is_in_the_history(imported, ada, max_):
    source = undone(imported(new(), [max_.email, "Maxim Weber", *[""] * 4]), ada.user)
    kind = AuditEvent.Kind
    assert {
        (event.kind, event.about_label)
        for event in AuditEvent.objects.filter(actor=ada.user).order_by("-pk")[:4]
    } == {
        (kind.ENTRY_DELETED, "Steel Co"),
        (kind.ENTRY_DELETED, "rosa Diaz"),
        (kind.ENTRY_CHANGED, "Max Weber"),
        (kind.IMPORT_UNDONE, str(source)),
    }


def test_who_stays_is_told_off_the_project_and_not_deleted(imported, ada, max_, annex):
    ours = [max_.email, "", "", "24-018", SUBCONTRACTOR, ""]
    undone(imported(ours), ada.user)
    told = AuditEvent.objects.about(max_).order_by("pk").values_list("kind", flat=True)
    assert AuditEvent.Kind.GRANT_REMOVED in told
    assert AuditEvent.Kind.ENTRY_DELETED not in told


def test_unsent_invitations_go_with_their_entries(imported, ada, mailoutbox):
    before = stored()
    source = imported(new(), has_invitations=True)
    # As if the worker hadn't come to it yet.
    Delivery.objects.update(state="queued", attempts=0, settled_at=None)
    mailoutbox.clear()
    source.undo(ada.user)
    for _ in range(2):
        work_on_imports.call()
    assert stored() == before
    work()
    assert mailoutbox == []


def unsent():
    """As if the worker hadn't come to the mails yet."""
    Delivery.objects.update(state="queued", attempts=0, settled_at=None)


def test_so_do_those_of_people_who_were_there_before(
    imported, acme, ada, tower, mailoutbox
):
    """Of one of them the import did nothing else."""
    old, other = (add_entry(acme, f"{name}@b.example") for name in ("old", "other"))
    before = stored()
    source = imported(
        [old.email, "", "", "24-017", FOREMAN, ""],
        [old.email, "Old One", "", "", "", ""],
        [other.email, "", "", "", "", ""],
        has_invitations=True,
    )
    assert kinds(source) == ["link", "change", "invite"]
    unsent()
    mailoutbox.clear()
    source = undone(source, ada.user)
    assert kinds(source) == ["undone"] * 3, reasons(source)
    assert stored() == before
    assert mailoutbox == []
    told = AuditEvent.objects.about(other).order_by("pk").values_list("kind", flat=True)
    assert [*told] == ["invitation_sent", "invitation_revoked"]


@pytest.mark.parametrize("is_renewed", [False, True])
def test_an_invitation_that_somebody_knows_of_stays(imported, acme, ada, is_renewed):
    """Its mail is gone; or it is an earlier one that the import has renewed."""
    old = add_entry(acme, "old@b.example")
    if is_renewed:
        long_ago = timezone.now() - timedelta(days=60)
        rows = Invitation.objects.filter(pk=invite(old, ada.user).pk)
        rows.update(sent_at=long_ago, expires_at=long_ago + timedelta(days=14))
        let_an_hour_pass(old)
    source = imported([old.email, "", "", "24-017", FOREMAN, ""], has_invitations=True)
    assert kinds(source) == ["link"], reasons(source)
    if is_renewed:
        unsent()
    source = undone(source, ada.user)
    assert kinds(source) == ["kept"]
    assert reasons(source) == [
        "Row 2: This person has been invited. Revoke the invitation in the directory."
    ]
    assert old.project_memberships.exists() and old.invitations.pending().exists()


def test_who_was_invited_stays_with_all_projects(imported, ada, annex):
    source = imported(new(), new(project="24-018"), has_invitations=True)
    source = undone(source, ada.user)
    assert kinds(source) == ["kept", "kept"]
    assert reasons(source)[1].startswith("Row 3: This person has been invited.")
    assert entry("rosa@subco.example").project_memberships.count() == 2
    assert Vendor.objects.filter(name="Steel Co").exists()


def test_a_first_password_was_handed_over(imported, ada):
    source = imported(new())
    rosa = entry("rosa@subco.example")
    Invitation.objects.make_first_passwords([rosa], ada.user)
    assert kinds(undone(source, ada.user)) == ["kept"]


def test_who_has_joined_stays(imported, ada):
    source = imported(new())
    rosa = entry("rosa@subco.example")
    rosa.join(add_user(rosa.email), rosa.created_at)
    assert "has joined" in reasons(undone(source, ada.user))[0]


def test_who_was_put_on_a_project_since_stays(imported, ada, annex):
    source = imported(new())
    put_on(entry("rosa@subco.example"), annex)
    assert "put this person on a project" in reasons(undone(source, ada.user))[0]


@pytest.mark.parametrize(
    ("of", "changes"),
    [
        (Membership, {"job_title": "Foreman"}),
        (Membership, {"email": "rosa.diaz@subco.example"}),
        (Membership, {"vendor": None}),
        (Membership, {"is_active": False}),
        (ProjectMembership, {"ends_on": date(2027, 1, 1)}),
    ],
)
def test_later_work_on_a_new_entry_stays(imported, ada, of, changes):
    source = imported(new(), new("max"))
    rosa = entry("rosa@subco.example")
    of.objects.filter(
        **{"membership" if of is ProjectMembership else "pk": rosa.pk}
    ).update(**changes)
    source = undone(source, ada.user)
    assert kinds(source) == ["kept", "undone"]
    assert reasons(source) == [
        "Row 2: Somebody has changed this since, or it can’t be as it was."
    ]
    assert ProjectMembership.objects.filter(membership=rosa).exists()


def test_who_stays_keeps_the_invitation(imported, ada):
    source = imported(new(), has_invitations=True)
    Delivery.objects.update(state="queued", attempts=0, settled_at=None)
    Membership.objects.filter(email="rosa@subco.example").update(job_title="Foreman")
    source.undo(ada.user)
    for _ in range(2):
        work_on_imports.call()
    assert kinds(source) == ["kept"]
    assert Invitation.objects.get().deliveries.count() == 1


@pytest.mark.parametrize("change", ["entry", "grant", "new grant"])
def test_what_somebody_has_changed_since_stays(imported, ada, max_, annex, change):
    source = imported(
        [max_.email, "Maxim Weber", "", "24-017", SUBCONTRACTOR, ""],
        [max_.email, "", "", "24-018", FOREMAN, ""],
    )
    grants = ProjectMembership.objects.filter(membership=max_)
    match change:
        case "entry":
            Membership.objects.filter(pk=max_.pk).update(first_name="Maximilian")
        case "grant":
            grants.filter(project__number="24-017").update(ends_on=date(2027, 1, 1))
            grants.filter(project__number="24-017").update(
                template=template(max_.company, FOREMAN)
            )
        case "new grant":
            grants.filter(project=annex).update(ends_on=date(2027, 1, 1))
    source = undone(source, ada.user)
    kept = 1 if change == "new grant" else 0
    assert kinds(source) == [["kept", "undone"], ["undone", "kept"]][kept]
    assert "changed this since" in reasons(source)[0]


def test_the_last_administrator_stays(imported, ada, acme, max_):
    """The import made Max one; by now he is the only one."""
    source = imported([max_.email, "", "", "", "", COMPANY_ADMINISTRATOR])
    Membership.objects.filter(pk=ada.pk).update(template=template(acme, MEMBER))
    assert kinds(undone(source, max_.user)) == ["kept"]
    assert Membership.objects.keepers().get() == max_


def test_a_firm_that_is_gone_can_not_be_put_back(imported, ada, acme, max_):
    old = Vendor.objects.create(company=acme, name="Old Co")
    Membership.objects.filter(pk=max_.pk).update(vendor=old)
    source = imported([max_.email, "", "New Co", "", "", ""])
    old.delete()
    assert kinds(undone(source, ada.user)) == ["kept"]


def test_a_firm_that_others_work_for_by_now_stays(imported, ada, acme):
    source = imported(new())
    add_member(acme, "x@acme.example", vendor=Vendor.objects.get())
    assert kinds(undone(source, ada.user)) == ["undone"]
    assert Vendor.objects.count() == 1


def test_a_firm_that_was_renamed_since_stays(imported, ada):
    source = imported(new(), ["kim@b.example", "Kim Li", "Bolt", "", "", ""])
    Vendor.objects.filter(name="Bolt").update(name="Bolt Electric")
    assert kinds(undone(source, ada.user)) == ["undone"] * 2
    assert [firm.name for firm in Vendor.objects.all()] == ["Bolt Electric"]
    told = AuditEvent.objects.filter(about_model="companies.vendor").order_by("pk")
    assert [(event.kind, event.about_label, event.actor) for event in told] == [
        ("entry_added", "Steel Co", ada.user),
        ("entry_added", "Bolt", ada.user),
        ("entry_deleted", "Steel Co", ada.user),
    ]


def test_it_can_be_imported_again(imported, ada):
    undone(imported(new()), ada.user)
    assert kinds(imported(new())) == ["new"]


def test_who_has_lost_the_level_meanwhile_undoes_nothing(imported, acme, ada):
    """T34: another administrator can go on with it."""
    eve = add_member(acme, "eve@acme.example", template=COMPANY_ADMINISTRATOR)
    source = imported(new())
    before = stored()
    source.undo(ada.user)
    ada.template = template(acme, MEMBER)
    ada.save()
    work()
    source.refresh_from_db()
    assert source.state == Import.State.APPLIED
    assert stored()[1:] == before[1:] and entry("rosa@subco.example")
    assert kinds(undone(source, eve.user)) == ["undone"]


@pytest.mark.django_db(transaction=True)
def test_who_joins_in_the_same_moment_stays(imported, ada):
    """Rosa has a log-in, and accepts on the page of waiting invitations: no mail was
    sent yet, so the undo sees nothing that has come of it."""
    rosa = add_user("rosa@subco.example")
    source = imported(new(), has_invitations=False)
    invite(entry(rosa.email), ada.user)
    Delivery.objects.update(attempts=0)
    source.undo(ada.user)
    claimed = Import.objects.claim()
    errors = []

    def worker():
        try:
            step(claimed)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    undoing = threading.Thread(target=worker)
    with transaction.atomic():
        invitation = Invitation.objects.get()
        invitation.accept(rosa, version=invitation.version, is_proven=True)
        undoing.start()
        time.sleep(1)
    undoing.join()
    assert errors == []
    assert entry(rosa.email).user == rosa
    assert kinds(source) == ["kept"]
