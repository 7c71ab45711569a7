"""A mouse and a finger with the same three gestures, and controls pressed by either or by a key: one test for all."""

import pytest


def middle(locator):
    """The middle of an element in the page's pixels."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


class Mouse:
    """Presses, moves and lets go."""

    def __init__(self, page):
        self.page = page

    def down(self, x, y):
        self.page.mouse.move(x, y)
        self.page.mouse.down()

    def move(self, x, y):
        self.page.mouse.move(x, y, steps=4)

    def up(self):
        self.page.mouse.up()


class Touch:
    """The same with a finger, which the browser's own debugging interface moves."""

    def __init__(self, page):
        self.browser = page.context.new_cdp_session(page)
        self.browser.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def _send(self, kind, *points):
        self.browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    def down(self, x, y):
        self.x, self.y = x, y
        self._send("touchStart", {"x": x, "y": y})

    def move(self, x, y):
        start = self.x, self.y
        for share in (0.25, 0.5, 0.75, 1):
            self.x, self.y = (old + share * (new - old) for old, new in zip(start, (x, y), strict=True))
            self._send("touchMove", {"x": self.x, "y": self.y})

    def up(self):
        self._send("touchEnd")


POINTERS = pytest.mark.parametrize("pointer", [Mouse, Touch])


def click(pointer, locator):
    """Press an element's middle and let go."""
    locator.scroll_into_view_if_needed()
    pointer.down(*middle(locator))
    pointer.up()


class Tap:
    """Press a control, found by its data-testid, by mouse, finger or key."""

    def __init__(self, page, way):
        self.page, self.pointer = page, {"mouse": Mouse, "touch": Touch}.get(way, lambda page: None)(page)

    def __call__(self, test, times=1):
        control = self.page.get_by_test_id(test)
        for _ in range(times):
            if self.pointer is None:
                control.press("Space")
            else:
                click(self.pointer, control)


WAYS = pytest.mark.parametrize("way", ["mouse", "touch", "keyboard"])
