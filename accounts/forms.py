"""What people decide about their own log-in."""

from typing import Any

from django import forms

from accounts.models import User


class NewsletterForm(forms.Form):
    """The Construction Newsletter: asked for or not, at any time (S12)."""

    newsletter = forms.BooleanField(
        label="Send me the Construction Newsletter and product updates", required=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        kwargs["initial"] = {"newsletter": user.newsletter_since is not None}
        super().__init__(*args, **kwargs)

    def save(self) -> None:
        if self.cleaned_data["newsletter"]:
            self.user.subscribe()
        else:
            self.user.unsubscribe()
