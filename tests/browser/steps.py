"""Steps that somebody takes on a page."""

import pytest


def follow(locator):
    """Click what leads to another page, and wait until that is there.

    `click` alone returns while the old page still stands, or an empty one.
    """
    with locator.page.expect_navigation():
        locator.click()


def press_tab_to(page, locator, key="Tab"):
    """Reach something by the keyboard alone."""
    for _ in range(60):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{locator} can't be reached with {key}.")
