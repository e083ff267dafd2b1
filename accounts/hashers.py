"""How passwords are hashed."""

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with the parameters of the settings, by default OWASP's.

    Django's own take 100 MiB a hash, which a burst of log-ins turns into gigabytes.
    Hashes with other parameters still verify, and are made anew at the next log-in.
    """

    memory_cost = settings.ARGON2_MEMORY_KIB
    time_cost = settings.ARGON2_TIME_COST
    parallelism = settings.ARGON2_PARALLELISM
