"""Applying in batches: what was shown is done once, and nothing else."""

import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from audit.models import AuditEvent
from companies.models import Company, Membership, Project, ProjectMembership, Vendor
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from desk.imports import steps
from desk.models import ATTEMPTS, Import, ImportRow
from desk.tasks import work_on_imports
from invitations.models import Delivery, Invitation
from procore_site.management.commands.work import Command
from tests.cast import FOREMAN, add_entry, add_member, invite, template, work
from tests.desk.lists import (
    applied,
    csv_file,
    entry,
    kinds,
    planned,
    reasons,
    row,
    undone,
    upload,
)

Kind = AuditEvent.Kind
State = Import.State
KNOWN = ["ivo@subco.example", "max@acme.example", "gone@subco.example"]
SUBCONTRACTOR = "Subcontractor – External"
HEADER = ["Mail", "Name", "Firm", "Project", "Role", "Company template", "Start"]


def people(count, first=0):
    return [
        [
            *(f"p{n}@subco.example", f"Person {n}", f"Firm {n % 40}", "24-017"),
            *(SUBCONTRACTOR, "", ""),
        ]
        for n in range(first, first + count)
    ]


def written():
    """How much there is of all that an import writes."""
    models = (Membership, Vendor, ProjectMembership, AuditEvent, Invitation, Delivery)
    return [model.objects.count() for model in models]


def people_added():
    """How many people the history calls added, firms aside."""
    added = AuditEvent.objects.filter(kind=Kind.ENTRY_ADDED)
    return added.filter(about_model=Membership._meta.label_lower).count()


def test_what_was_shown_is_written(acme, ada, tower, max_):
    content = csv_file(
        HEADER,
        [
            "R@b.example",
            "Diaz, Rosa",
            "Steel Co",
            "24-017",
            FOREMAN,
            "",
            "2027-1-2",
        ],
        [max_.email, "Max Weber", "STEEL CO", "24-017", SUBCONTRACTOR, "", ""],
        ["bad", "Bad", "Bad Co", "", "", "", ""],
    )
    source = applied(acme, content, ada.user)
    assert (source.state, kinds(source)) == ("applied", ["new", "change", "refused"])
    rosa = entry("r@b.example")
    assert (rosa.first_name, rosa.last_name) == ("Rosa", "Diaz")
    assert (rosa.template.name, rosa.company, rosa.user) == (MEMBER, acme, None)
    [grant] = rosa.project_memberships.all()
    assert (grant.project, grant.template.name) == (tower, FOREMAN)
    assert grant.starts_on == date(2027, 1, 2)
    max_.refresh_from_db()
    assert max_.vendor == rosa.vendor == Vendor.objects.get(name="Steel Co")
    assert max_.project_memberships.get().template.name == SUBCONTRACTOR
    assert row(source, 2).membership == rosa


def test_a_firm_is_made_once_however_it_is_spelt(acme, ada, monkeypatch):
    """Also where its people are in different batches."""
    monkeypatch.setattr(steps, "BATCH", 1)
    names = ["Steel Co", "STEEL  CO", "steel co"]
    rows = [[f"{3 - n}@b.example", name] for n, name in enumerate(names)]
    source = applied(acme, csv_file(["Mail", "Firm"], *rows), ada.user)
    assert kinds(source) == ["new"] * 3, reasons(source)
    assert Vendor.objects.count() == 1


@pytest.mark.parametrize("is_there", [True, False])
def test_names_that_a_database_takes_for_one_are_one_firm(acme, ada, is_there):
    """PostgreSQL makes capitals by its locale, in which ı and i are both I."""
    names = ["Yildiz Bau", "Yıldız Bau", "YILDIZ BAU"]
    if is_there:
        Vendor.objects.create(company=acme, name=names[0])
    rows = [[f"{n}@b.example", name] for n, name in enumerate(names)]
    source = applied(acme, csv_file(["Mail", "Firm"], *rows), ada.user)
    assert source.state == State.APPLIED
    assert Vendor.objects.get().name == names[0]


def test_each_row_is_in_the_history(acme, ada, tower, max_):
    content = csv_file(
        HEADER, *people(1), [max_.email, "Maxim Weber", "", "", "", "", ""]
    )
    source = applied(acme, content, ada.user)
    new = AuditEvent.objects.filter(about_id=entry("p0@subco.example").pk)
    assert {event.kind for event in new} == {Kind.ENTRY_ADDED, Kind.GRANTED}
    changed = AuditEvent.objects.get(kind=Kind.ENTRY_CHANGED, about_id=max_.pk)
    assert changed.facts == {"import": "people.csv", "First name": "Max → Maxim"}
    whole = AuditEvent.objects.get(kind=Kind.PEOPLE_IMPORTED)
    assert (whole.about_id, whole.facts) == (source.pk, {"New": 1, "Changed": 1})
    assert {e.actor for e in [*new, changed, whole]} == {ada.user}


def test_the_same_file_again_is_zero_changes(acme, ada, tower):
    content = csv_file(HEADER, *people(5), *people(5))
    assert kinds(applied(acme, content, ada.user)) == ["new"] * 5 + ["unchanged"] * 5
    again = planned(acme, content, ada.user)
    assert kinds(again) == ["unchanged"] * 10
    before = written()
    again.apply(ada.user)
    work()
    assert written()[:3] == before[:3]
    assert people_added() == 5


def test_the_file_is_forgotten_once_it_is_read(acme, ada):
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    assert source.content is None


# Somebody changes something between the dry run and now


def test_what_has_changed_since_the_dry_run_is_not_done(acme, ada, tower, max_):
    content = csv_file(
        HEADER, [max_.email, "Maxim Weber", "", "", "", "", ""], *people(2)
    )
    source = planned(acme, content, ada.user)
    Membership.objects.filter(pk=max_.pk).update(first_name="Maximilian")
    add_entry(acme, "p0@subco.example")
    source.apply(ada.user)
    work()
    assert kinds(source) == ["refused", "refused", "new"]
    assert reasons(source)[0].startswith("Row 2: Somebody has changed this since")
    max_.refresh_from_db()
    assert max_.first_name == "Maximilian"


def test_what_somebody_has_done_meanwhile_is_not_done_again(acme, ada, tower, max_):
    source = planned(
        acme, csv_file(HEADER, [max_.email, "Maxim Weber", *[""] * 5]), ada.user
    )
    Membership.objects.filter(pk=max_.pk).update(first_name="Maxim")
    source.apply(ada.user)
    work()
    assert kinds(source) == ["unchanged"]


def test_who_applies_needs_the_right_then(acme, ada, tower, max_):
    """T44: not who has uploaded counts, nor what they could do when they did."""
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    source.apply(max_.user)
    work()
    assert kinds(source) == ["refused"]
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    add_member(acme, "eve@acme.example", template=COMPANY_ADMINISTRATOR)
    Membership.objects.filter(pk=ada.pk).update(template=template(acme, MEMBER))
    source.apply(ada.user)
    work()
    assert kinds(source) == ["refused"]
    assert not Membership.objects.filter(email="p0@subco.example").exists()


def test_two_batches_leave_the_last_administrator(acme, ada, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 1)
    eve = add_member(acme, "eve@acme.example", template=COMPANY_ADMINISTRATOR)
    rows = [[each.email, "", "", "", "", MEMBER, ""] for each in (ada, eve)]
    source = planned(acme, csv_file(HEADER, *rows), ada.user)
    assert kinds(source) == ["change", "change"]
    source.apply(None)
    work()
    assert kinds(source) == ["change", "refused"]
    assert Membership.objects.keepers().count() == 1


# All or nothing


def test_one_bad_row_never_stops_the_others(acme, ada, tower):
    content = csv_file(HEADER, *people(2), ["bad", *[""] * 6])
    assert kinds(applied(acme, content, ada.user)) == ["new", "new", "refused"]


def test_unless_it_is_to_be_all_or_nothing(acme, ada, tower):
    content = csv_file(HEADER, *people(2), ["bad", *[""] * 6])
    source = planned(acme, content, ada.user, is_all_or_nothing=True)
    with pytest.raises(ValidationError, match="Some rows are refused"):
        source.apply(ada.user)
    assert Import.objects.get().state == State.PLANNED


def test_all_or_nothing_holds_to_the_last_batch(acme, ada, tower, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 2)
    source = planned(
        acme, csv_file(HEADER, *people(5)), ada.user, is_all_or_nothing=True
    )
    add_entry(acme, "p4@subco.example", first_name="X")
    before = written()
    source.apply(ada.user)
    work()
    source.refresh_from_db()
    assert source.state == State.FAILED
    assert "nothing was changed" in source.problem
    assert (written(), set(kinds(source))) == (before, {"new"})


# Invitations


def test_the_imported_are_invited(acme, ada, tower, ivo, max_, mailoutbox):
    rows = [*people(3), *([x, "", "", "24-017", "", "", ""] for x in ("x",))]
    rows[-1][0] = ivo.membership.email
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    rows[-1][3:5] = [annex.number, FOREMAN]
    rows.append([max_.email, "", "", annex.number, FOREMAN, "", ""])
    work()
    mailoutbox.clear()
    source = applied(acme, csv_file(HEADER, *rows), ada.user, has_invitations=True)
    assert kinds(source) == ["new", "new", "new", "link", "link"]
    assert {to for mail in mailoutbox for to in mail.to} == {
        f"p{n}@subco.example" for n in range(3)
    }
    assert Invitation.objects.exclude(pk=ivo.pk).first().invited_by == ada.user
    ivo.refresh_from_db()
    assert ivo.version == 1, "an open link doesn't die"


def test_who_is_unchanged_is_invited_too(acme, ada, tower, ivo, max_, mailoutbox):
    """The list was imported before, without inviting; each of them is mailed once."""
    add_entry(acme, "gone@subco.example", is_active=False)
    rows = [*people(2), *people(1), *([each, *[""] * 6] for each in KNOWN)]
    applied(acme, csv_file(HEADER, *rows), ada.user)
    work()
    mailoutbox.clear()
    source = planned(acme, csv_file(HEADER, *rows), ada.user, has_invitations=True)
    expected = ["invite", "invite", "unchanged", "unchanged", "unchanged", "unchanged"]
    assert kinds(source) == expected
    source.apply(ada.user)
    work()
    assert kinds(source) == expected
    assert sorted(to for mail in mailoutbox for to in mail.to) == [
        f"p{n}@subco.example" for n in range(2)
    ]
    again = planned(acme, csv_file(HEADER, *rows), ada.user, has_invitations=True)
    assert set(kinds(again)) == {"unchanged"}
    assert kinds(undone(source, ada.user))[:3] == ["kept", "kept", "unchanged"]


def test_an_invitation_that_has_expired_is_no_open_one(acme, ada, ivo, mailoutbox):
    work()
    mailoutbox.clear()
    long_ago = timezone.now() - timedelta(days=60)
    Invitation.objects.update(
        sent_at=long_ago, expires_at=long_ago + timedelta(days=14)
    )
    Delivery.objects.update(created_at=long_ago)
    content = csv_file(["Mail"], [ivo.membership.email])
    assert kinds(applied(acme, content, ada.user, has_invitations=True)) == ["invite"]
    assert [mail.to for mail in mailoutbox] == [[ivo.membership.email]]


def test_who_said_no_is_left_out_and_said_so(acme, ada, tower, mailoutbox):
    """As from the directory, where a box has to be ticked for them."""
    said_no = {"declined": "Declined before. Ask", "revoked": "The invitation was rev"}
    for state in said_no:
        invitation = invite(add_entry(acme, f"{state}@b.example"), ada.user)
        rows = Invitation.objects.filter(pk=invitation.pk)
        rows.update(state=state, settled_at=timezone.now())
    Delivery.objects.all().delete()
    rows = ["Mail", "Project", "Role"], ["declined@b.example", "", ""]
    rows = *rows, ["revoked@b.example", "24-017", FOREMAN]
    source = planned(acme, csv_file(*rows), ada.user, has_invitations=True)
    for _ in ("shown", "applied"):
        assert kinds(source) == ["unchanged", "link"]
        for reason, said in zip(reasons(source), said_no.values(), strict=True):
            assert reason.startswith(f"Not invited: {said}")
        if source.state == State.PLANNED:
            source.apply(ada.user)
            work()
    assert mailoutbox == []
    again = invite(entry("declined@b.example"), ada.user)
    assert again.state == "pending", "from the directory they can be"


def test_whom_one_may_not_invite_is_said_in_the_dry_run(acme, cora, tower):
    add_entry(acme, "boss@b.example", template=COMPANY_ADMINISTRATOR)
    add_entry(acme, "jo@b.example")
    content = csv_file(["Mail"], ["boss@b.example"], ["jo@b.example"])
    source = planned(acme, content, cora.user, has_invitations=True)
    assert kinds(source) == ["unchanged", "invite"]
    assert reasons(source) == [
        "Not invited: You may not hand out the templates of this entry."
    ]
    assert reasons(planned(acme, content, cora.user)) == []


def test_who_can_not_be_invited_stays_unchanged(db):
    """Before the operator has published terms."""
    company = Company.objects.create(name="Early Bird")
    add_entry(company, "a@b.example")
    source = applied(company, csv_file(["Mail"], ["a@b.example"]), has_invitations=True)
    assert kinds(source) == ["unchanged"]
    assert reasons(source)[0].startswith("Not invited: ")


def test_who_can_not_be_invited_is_imported_and_said_so(db):
    """Before the operator has published terms."""
    company = Company.objects.create(name="Early Bird")
    content = csv_file(["Mail"], ["a@b.example"])
    source = applied(company, content, has_invitations=True)
    assert kinds(source) == ["new"]
    assert reasons(source)[0].startswith("Not invited: ")


# What it costs


def queries_of_a_step():
    with CaptureQueriesContext(connection) as captured:
        work_on_imports.call()
    statements = [q["sql"] for q in captured.captured_queries]
    return [s for s in statements if not s.startswith(("SAVEPOINT", "RELEASE"))]


def test_a_batch_costs_the_same_whatever_is_in_it(acme, ada, tower):
    """As many statements for 200 rows as for 10: planned, applied, undone."""
    costs = []
    for count, first in ((10, 0), (200, 1000)):
        source = upload(
            acme,
            csv_file(HEADER, *people(count, first)),
            ada.user,
            has_invitations=True,
        )
        work_on_imports.call()  # reads
        planning = len(queries_of_a_step())
        work_on_imports.call()
        source.refresh_from_db()
        source.apply(ada.user)
        applying = len(queries_of_a_step())
        work_on_imports.call()
        source.refresh_from_db()
        assert source.state == State.APPLIED
        source.undo(ada.user)
        undoing = len(queries_of_a_step())
        work_on_imports.call()
        costs.append([planning, applying, undoing])
        DBTaskResult.objects.all().delete()
    few, many = costs
    assert few[:2] == many[:2]
    assert [*few] < [25, 45, 40]
    # Django deletes a hundred at a time.
    assert many[2] - few[2] <= 4


# Killed in the middle


class Killed(BaseException):
    """As a process ends: nothing catches it."""


def die_at(monkeypatch, module, name, after):
    """Let a function end the process when it is called for the nth time."""
    real, calls = getattr(module, name), []

    def mortal(*args):
        calls.append(1)
        if len(calls) == after:
            raise Killed
        return real(*args)

    monkeypatch.setattr(module, name, mortal)


def let_lease_run_out():
    Import.objects.filter(leased_until__isnull=False).update(
        leased_until=timezone.now() - timedelta(seconds=1)
    )


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("name", ["prepare", "plan", "apply"])
def test_a_killed_worker_loses_and_doubles_nothing(
    acme, ada, tower, monkeypatch, name, after, mailoutbox
):
    """Whichever step it was in; the waking takes it up again when the lease is over."""
    monkeypatch.setattr(steps, "BATCH", 2)
    source = upload(acme, csv_file(HEADER, *people(5)), ada.user, has_invitations=True)
    with monkeypatch.context() as patched:
        die_at(patched, steps, name, after)
        for _ in range(2):
            try:
                work()
                source.refresh_from_db()
                if source.state == State.PLANNED:
                    source.apply(ada.user)
            except Killed:
                DBTaskResult.objects.all().delete()
    let_lease_run_out()
    for _ in range(2):
        Command().wake()
        work()
        source.refresh_from_db()
        if source.state == State.PLANNED:
            source.apply(ada.user)
    assert source.state == State.APPLIED
    assert kinds(source) == ["new"] * 5
    assert Membership.objects.filter(email__startswith="p").count() == 5
    assert ProjectMembership.objects.count() == 5
    assert people_added() == 5
    assert sorted(to for mail in mailoutbox for to in mail.to) == [
        f"p{n}@subco.example" for n in range(5)
    ]


def test_killed_in_the_middle_of_a_batch_nothing_of_it_is_there(
    acme, ada, tower, monkeypatch
):
    source = planned(acme, csv_file(HEADER, *people(3)), ada.user)
    before = written()
    source.apply(ada.user)
    with monkeypatch.context() as patched:
        die_at(patched, type(ImportRow.objects.all()), "save_all", 1)
        with pytest.raises(Killed):
            work()
    assert written() == before
    assert set(kinds(source)) == {"new"}
    assert not ImportRow.objects.exclude(outcome="").exists()


def fail(*args):
    raise RuntimeError("disk full")


def fail_for_good(source):
    """Let the present step be tried as often as it is."""
    for _ in range(ATTEMPTS + 1):
        work_on_imports.call()
        let_lease_run_out()
    source.refresh_from_db()


def test_a_step_that_always_fails_ends_the_import(acme, ada, tower, monkeypatch):
    source = upload(acme, csv_file(HEADER, *people(1)), ada.user)
    monkeypatch.setattr(steps, "plan", fail)
    fail_for_good(source)
    assert source.state == State.FAILED
    assert "Something went wrong on our side" in source.problem
    for verb in (source.apply, source.undo):
        with pytest.raises(ValidationError, match="moved on meanwhile"):
            verb(ada.user)


def test_a_step_is_tried_again_after_pauses_that_grow(acme, ada, tower, monkeypatch):
    """What is broken for a minute, as a database that is away, ends no import."""
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    source.apply(ada.user)
    pauses = []
    with monkeypatch.context() as patched:
        patched.setattr(steps, "apply", fail)
        for _ in range(ATTEMPTS - 1):
            work_on_imports.call()
            source.refresh_from_db()
            pauses.append((source.leased_until - timezone.now()).total_seconds())
            let_lease_run_out()
    assert source.state == State.APPLYING
    assert pauses == sorted(pauses) and sum(pauses) > 100
    work()
    assert kinds(source) == ["new"]


@pytest.fixture
def failed_halfway(acme, ada, tower, monkeypatch):
    """An import of which two rows of five were applied."""
    with monkeypatch.context() as patched:
        patched.setattr(steps, "BATCH", 2)
        source = planned(acme, csv_file(HEADER, *people(5)), ada.user)
        source.apply(ada.user)
        work_on_imports.call()
        patched.setattr(steps, "apply", fail)
        fail_for_good(source)
    assert (source.state, source.rows.to_undo().count()) == (State.FAILED, 2)
    return source


def test_what_failed_halfway_goes_on(failed_halfway, ada):
    failed_halfway.apply(ada.user)
    work()
    failed_halfway.refresh_from_db()
    assert (failed_halfway.state, failed_halfway.problem) == (State.APPLIED, "")
    assert Membership.objects.filter(email__startswith="p").count() == 5


def test_what_failed_halfway_is_undone(failed_halfway, ada, monkeypatch):
    """Also where undoing has failed before."""
    with monkeypatch.context() as patched:
        patched.setattr(steps, "undo", fail)
        failed_halfway.undo(ada.user)
        fail_for_good(failed_halfway)
    assert failed_halfway.state == State.FAILED
    assert undone(failed_halfway, ada.user).state == State.UNDONE
    assert kinds(failed_halfway) == ["undone"] * 5
    assert not Membership.objects.filter(email__startswith="p").exists()


def test_the_page_of_what_failed_halfway_offers_both(failed_halfway, as_, ada):
    page = as_(ada).get(f"/admin/desk/import/{failed_halfway.pk}/change/")
    for words in ("Continue with the rest", "Undo the import"):
        assert words in page.content.decode()


def test_a_file_that_kills_every_worker_ends_the_import(acme, ada, tower):
    """Killed for its memory, say: the next worker must not take it for ever."""
    source = upload(acme, csv_file(HEADER, *people(1)), ada.user)
    for _ in range(ATTEMPTS):
        assert Import.objects.claim() is not None
        let_lease_run_out()
    work()
    source.refresh_from_db()
    assert (source.state, source.content) == (State.FAILED, None)
    assert "Something went wrong on our side" in source.problem


def test_a_file_that_can_not_be_read_fails_with_its_sentence(acme, ada):
    source = planned(acme, b"nothing;of;the;kind\n1;2;3;4\n", ada.user)
    assert (source.state, source.content) == (State.FAILED, None)
    assert source.problem.startswith("There is no header")


# Several workers


def test_an_import_is_with_one_worker_at_a_time(acme, ada):
    upload(acme, csv_file(HEADER, *people(1)), ada.user)
    assert Import.objects.claim() is not None
    assert Import.objects.claim() is None
    let_lease_run_out()
    assert Import.objects.claim() is not None


def test_who_was_too_slow_does_nothing_any_more(acme, ada, tower):
    """The lease ran out, and another worker has taken the step over."""
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    source.apply(ada.user)
    slow = Import.objects.claim()
    let_lease_run_out()
    work()
    before = written()
    steps.step(slow)
    assert written() == before
    assert Import.objects.get().state == State.APPLIED


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_do_each_row_once(acme, ada, tower, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 5)
    source = planned(acme, csv_file(HEADER, *people(40)), ada.user)
    source.apply(ada.user)
    errors = []

    def worker():
        try:
            for _ in range(30):
                if claimed := Import.objects.claim():
                    steps.step(claimed)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    source.refresh_from_db()
    assert errors == []
    assert source.state == State.APPLIED
    assert Membership.objects.filter(email__startswith="p").count() == 40
    assert people_added() == 40


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_planner_knows_of_the_new_people_at_once(acme, ada, tower):
    applied(acme, csv_file(HEADER, *people(40)), ada.user)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE relname = 'companies_membership'"
        )
        assert cursor.fetchone() == (Membership.objects.count(),)


def test_somebody_who_is_added_in_the_same_moment_is_found_by_the_next_try(
    acme, ada, tower, monkeypatch
):
    """The unique constraint stops the batch; its next try sees what is there by now."""
    source = planned(acme, csv_file(HEADER, *people(2)), ada.user)
    source.apply(ada.user)
    real = steps.apply

    def overtaken(source, rows):
        from desk.imports.applying import Writer

        def write(writer, original=Writer.write):
            patched.undo()
            add_entry(acme, "p0@subco.example")
            original(writer)

        patched = pytest.MonkeyPatch()
        patched.setattr(Writer, "write", write)
        real(source, rows)

    monkeypatch.setattr(steps, "apply", overtaken)
    work_on_imports.call()
    monkeypatch.setattr(steps, "apply", real)
    work()
    assert Membership.objects.filter(email__startswith="p").count() == 2
    assert kinds(source) == ["new", "new"]


def test_moving_on_happens_once(acme, ada, tower):
    source = planned(acme, csv_file(HEADER, *people(1)), ada.user)
    other = Import.objects.get()
    source.apply(ada.user)
    for verb in (other.cancel, lambda: other.apply(ada.user)):
        with pytest.raises(ValidationError, match="moved on meanwhile"):
            verb()


def test_cancelling_forgets_the_people(acme, ada, tower):
    source = planned(acme, csv_file(HEADER, *people(2)), ada.user)
    source.cancel()
    assert (source.state, source.rows.count()) == (State.CANCELLED, 0)
