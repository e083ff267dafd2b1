"""The link in the mail, joining, accepting, declining, and the terms (S8 to S15)."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.requests import UserRequest
from companies.models import Company
from invitations import handover
from invitations.emails import invitation_facts
from invitations.forms import JoinForm, TermsForm
from invitations.handover import Opened
from invitations.models import Invitation, Terms
from invitations.openings import record_opening
from invitations.refusals import sentence

# What is at the top of a page that says why an invitation can't be used, and the one
# next step that it offers: the name of an address and the words on the button.
ASK_AGAIN = ("account_reset_password", "Send me the mail again")
LOG_IN = ("account_login", "Log In")
START = ("home", "Go to the start")
PROBLEMS: dict[str, tuple[str, tuple[str, str]]] = {
    "unknown": ("This link can’t be used", ASK_AGAIN),
    "no_session": ("Open the link in the mail again", ASK_AGAIN),
    "replaced": ("There is a newer invitation", ASK_AGAIN),
    "expired": (
        "This invitation has expired",
        ("account_reset_password", "Ask for a new one"),
    ),
    "revoked": ("This invitation is no longer valid", LOG_IN),
    "declined": ("This invitation was declined", LOG_IN),
    "accepted": ("This invitation was used already", LOG_IN),
    "joined_unproven": (
        "This invitation was used already",
        ("account_reset_password", "Send me a link"),
    ),
    "first_password_over": ("This password can’t be used any more", LOG_IN),
    "log_in_to_accept": ("You have an account already", LOG_IN),
    "needs_confirmation": ("This invitation has to be confirmed", LOG_IN),
    "already_member": (
        "You are already a member",
        ("companies:select", "To my companies"),
    ),
    "other_address": ("This invitation is for another address", LOG_IN),
}


def problem(
    request: HttpRequest, code: str, company: Company | None = None
) -> HttpResponse:
    """Say in a sentence why it can't be used, and offer the one next step.

    All such pages have the status of an unknown address (T4). The company is named to
    who holds an invitation, which named it, too.
    """
    title, action = PROBLEMS[code]
    if action == LOG_IN and request.user.is_authenticated:
        action = START
    context = {
        "title": title,
        "sentence": sentence(code, company),
        "action_url": reverse(action[0]),
        "action_label": action[1],
    }
    return render(request, "invitations/problem.html", context, status=404)


def refused(request: HttpRequest, invitation: Invitation, code: str) -> HttpResponse:
    """Once accepted, the person who is in goes on; everybody else reads why not.

    An account made with a first password counts as none to the reader of the mailbox,
    who may have no password yet: a reset link gives it to them (S6).
    """
    entry = invitation.membership
    if code == "accepted" and entry.user:
        if entry.is_active and request.user == entry.user:
            return redirect("companies:select")
        if not entry.user.is_proven:
            code = "joined_unproven"
    return problem(request, code, invitation.company)


def join_url(public_id: str) -> str:
    return reverse("invitations:join", query={"i": public_id})


@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Open the link of a mail: move what it says into the session, and go on.

    GET and HEAD change no row but the session's, and leave a record (T1). The token
    leaves the address before a page is shown (T2). Tokens that say nothing are counted
    (T7).
    """
    try:
        public_id, version = Invitation.read_token(token)
    except ValidationError:
        return unknown_link(request)
    rows = Invitation.objects.select_related("company", "membership")
    invitation = rows.filter(public_id=public_id).first()
    if invitation is None:
        return unknown_link(request)
    record_opening(request, invitation, version)
    if code := invitation.problem(version):
        return refused(request, invitation, code)
    handover.remember(request, invitation, version, first_password=None)
    if "decline" in request.GET:
        return redirect(reverse("invitations:decline", query={"i": public_id}))
    return redirect(join_url(public_id))


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Answer a token that names nothing; more than 20 a minute are guesses (T7)."""
    too_often: HttpResponse | None = ratelimit.consume_or_429(
        request, app="allauth.account", action="invitation_link", limit_get=True
    )
    return too_often or problem(request, "unknown")


class InvitationView(View):
    """A page about one invitation, which it and its POST name by the public id."""

    opened: Opened

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Find the invitation, or show the page that says why it can't be used."""
        public_id = request.POST.get("invitation") or request.GET.get("i", "")
        opened = handover.opened(request, public_id.replace("\0", ""))
        if opened is None:
            return problem(request, "no_session")
        if code := opened.problem:
            return refused(request, opened.invitation, code)
        self.opened = opened
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def page(self, template: str, **context: Any) -> HttpResponse:
        invitation = self.opened.invitation
        context |= invitation_facts(invitation) | {"invitation": invitation}
        return render(self.request, template, context)


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class JoinView(InvitationView):
    """Create a Password; or, for somebody who has an account, accept."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(None)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request.POST)

    def answer(self, data: Any) -> HttpResponse:
        """Choose by the account of the invited address, never by what was posted.

        An account that is not proven counts as none to a mailed link, which sets its
        password anew; the password of any other is out of reach here, and so is that
        of an account that was switched off (T18).
        """
        address = self.opened.invitation.sent_to
        account = User.objects.filter(email=address).first()
        visitor = self.request.user
        if visitor.is_authenticated and visitor != account:
            return self.other_account()
        counts_as_none = account is None or (
            self.opened.is_proven and account.is_active and not account.is_proven
        )
        if account and not counts_as_none:
            return self.accept(account, data)
        return self.create_password(account or User(email=address), data)

    def other_account(self) -> HttpResponse:
        """Join nothing to whoever is logged in here (T3)."""
        local, _, domain = self.opened.invitation.sent_to.partition("@")
        masked = f"{local[0]}…@{domain}"
        return self.page("invitations/other_account.html", masked_address=masked)

    def create_password(self, user: User, data: Any) -> HttpResponse:
        form = JoinForm(data, opened=self.opened, user=user)
        if not form.is_valid():
            return self.page("invitations/join.html", form=form)
        try:
            form.save()
        except ValidationError as error:
            return refused(self.request, self.opened.invitation, str(error.code))
        return self.enter(user)

    def accept(self, account: User, data: Any) -> HttpResponse:
        if not self.request.user.is_authenticated:
            return self.page("invitations/log_in_to_accept.html")
        if data is None:
            return self.page("invitations/accept.html")
        opened = self.opened
        try:
            opened.invitation.accept(
                account, version=opened.version, is_proven=opened.is_proven
            )
        except ValidationError as error:
            return refused(self.request, self.opened.invitation, str(error.code))
        self.forget()
        return redirect(opened.invitation.company)

    def enter(self, user: User) -> HttpResponse:
        """Log in by allauth's way, which doesn't step round a second factor.

        Then straight into the company that was joined: another one's invitation that
        was opened as well is offered after the terms.
        """
        self.forget()
        target = self.opened.invitation.company.get_absolute_url()
        response: HttpResponse = perform_login(
            self.request, user, email=user.email, redirect_url=target
        )
        is_in = self.request.user.is_authenticated
        return redirect(target) if is_in else response

    def forget(self) -> None:
        handover.forget(self.request, self.opened.invitation.public_id)


class DeclineView(InvitationView):
    """'Not for me, or I don't know this company': asked once more, then a POST."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("invitations/decline.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        invitation = self.opened.invitation
        if not invitation.decline(self.opened.version):  # it was settled meanwhile
            invitation.refresh_from_db()
            return refused(request, invitation, invitation.problem(self.opened.version))
        return redirect("invitations:declined")


@require_safe
def declined(request: HttpRequest) -> HttpResponse:
    return render(request, "invitations/declined.html")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out and go on with an invitation that is for another address (T3)."""
    handover.log_out(request)
    return redirect(join_url(request.POST.get("invitation", "")))


@require_safe
@login_required
def waiting(request: UserRequest) -> HttpResponse:
    """Invitations of other companies that the person can accept at once."""
    invitations = Invitation.objects.waiting_for(request.user).select_related(
        "company", "membership"
    )
    if not invitations:
        return redirect("companies:select")
    return render(request, "invitations/waiting.html", {"invitations": invitations})


@login_required
def terms(request: UserRequest) -> HttpResponse:
    """Ask for agreement to the current terms; then go where the person was going."""
    current = Terms.objects.current()
    if current is None:
        return render(request, "invitations/no_terms.html")
    if Terms.objects.are_accepted_by(request.user):
        return go_on(request)
    form = TermsForm(request.POST or None, terms=current)
    if request.method == "POST" and form.is_valid():
        form.save(request.user)
        return go_on(request)
    context = {
        "terms": current,
        "agreed": Terms.objects.agreed_to_by(request.user),
        "form": form,
        "next": get_next_redirect_url(request),
    }
    return render(request, "invitations/terms.html", context)


def go_on(request: HttpRequest) -> HttpResponse:
    return redirect(get_adapter(request).get_login_redirect_url(request))
