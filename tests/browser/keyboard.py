"""Ways through a page without a mouse."""

import pytest


def press_tab_to(page, locator, key="Tab"):
    """Reach something by the keyboard alone."""
    for _ in range(60):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{locator} can't be reached with {key}.")
