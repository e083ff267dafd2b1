"""The list of the own sessions names browsers as people do."""

import pytest
from django.urls import reverse

from accounts.templatetags.browsers import browser_name
from tests.steps import log_in, text

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{LIKE_GECKO} Chrome/143.0.0.0"
ON_LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36"
ON_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {LIKE_GECKO}"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (ON_LINUX, "Chrome on Linux"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME}", "Chrome on Android"),
        (
            f"Mozilla/5.0 (Linux; Android 10) SamsungBrowser/28.0 {CHROME}",
            "Samsung Internet on Android",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Edg/143.0", "Edge on Windows"),
        (f"{ON_IPHONE} Version/18.6 Safari/604.1", "Safari on iPhone"),
        (f"{ON_IPHONE} CriOS/143.0 Safari/604.1", "Chrome on iPhone"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) Firefox/145.0",
            "Firefox on macOS",
        ),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_has_a_short_name(user_agent, name):
    assert browser_name(user_agent) == name


def test_the_list_says_the_name_and_keeps_the_rest_folded(client, max_):
    client.defaults["HTTP_USER_AGENT"] = ON_LINUX
    log_in(client, "max@acme.example")
    page = text(client.get(reverse("usersessions_list")))
    assert '<span class="row-name">Chrome on Linux</span>' in page
    folded = page.partition('<details class="more')[2].partition("</details>")[0]
    assert ON_LINUX in folded
