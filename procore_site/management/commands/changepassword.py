import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.models import User
from audit.models import AuditEvent
from procore_site.adapter import change_password

MAX_TRIES = 3


class Command(changepassword.Command):
    """Django's, which leaves an event, and a sentence for what is no address.

    It writes the password alone: Django's writes back the whole row as it was before
    the dialogue, and so would let in again who was switched off meanwhile (T34).
    """

    def handle(self, *args: Any, **options: Any) -> str:
        user = self.find(options["username"] or "")
        self.stdout.write(f"Changing password for user '{user}'")
        change_password(user, self.ask(user), by=None)
        AuditEvent.record(AuditEvent.Kind.PASSWORD_CHANGED, None, None, user)
        return f"Password changed successfully for user '{user}'"

    def find(self, username: str) -> User:
        try:
            return User.objects.get_by_natural_key(username)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except User.DoesNotExist:
            raise CommandError(f"user '{username}' does not exist") from None

    def ask(self, user: User) -> str:
        """Ask twice for a password that meets the rules (S9)."""
        for _ in range(MAX_TRIES):
            password = getpass.getpass()
            if password != getpass.getpass("Password (again): "):
                self.stdout.write("Passwords do not match. Please try again.")
                continue
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.stderr.write("\n".join(error.messages))
            else:
                return password
        raise CommandError(
            f"Aborting password change for user '{user}' after {MAX_TRIES} attempts"
        )
