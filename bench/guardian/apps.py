from django.apps import AppConfig


class GuardianConfig(AppConfig):
    """Stands for our `companies`, whose permissions and content types it finds."""

    name = "bench.guardian"
    label = "companies"
