"""Where a request came from, for the events that are recorded while it is answered."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse

from audit.models import client_address


class ClientAddressMiddleware:
    """Hold the client's address while a request is answered.

    Models know no request. The address is allauth's, which believes forwarding headers
    only from as many proxies as TRUSTED_PROXY_COUNT says (T26).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = client_address.set(get_adapter().get_client_ip(request))
        try:
            return self.get_response(request)
        finally:
            client_address.reset(token)
