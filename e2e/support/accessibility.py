"""What axe-core finds in a page: violations of WCAG 2 and of its own best practices."""

from typing import Final, TypedDict, cast

from playwright.async_api import Page, ViewportSize

from devkit.platform.settings import CHECKOUT

_AXE: Final = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
"""From the development dependencies of `apps/web`."""

_RUN: Final = """
async () => {
  const {violations} = await axe.run();
  const selectors = (nodes) => nodes.map(({target}) => target.join(" "));
  return violations.map(({id, nodes}) => ({id, targets: selectors(nodes)}));
}
"""

_SIZES: Final = (ViewportSize(width=1280, height=800), ViewportSize(width=360, height=740))
"""A desktop, and a small phone."""

_IS_WIDER: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Violation(TypedDict):
    """A rule of axe that a page breaks, and the elements that break it, as CSS selectors."""

    id: str
    targets: list[str]


async def find_violations(page: Page, state: str) -> list[str]:
    """Return what is wrong with the page, in light and dark, on a desktop and a phone.

    A page that is wider than the phone counts as wrong.

    Args:
        page: The page, in the state to look at.
        state: Names the state in the result.
    """
    await page.evaluate(_AXE.read_text())
    found: list[str] = []
    for size in _SIZES:
        await page.set_viewport_size(size)
        if await page.evaluate(_IS_WIDER):
            found.append(f"{state}, {size['width']} px: wider than the screen")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            violations = cast("list[Violation]", await page.evaluate(_RUN))
            for violation in violations:
                found.append(
                    f"{state}, {scheme}, {size['width']} px: {violation['id']} "
                    f"at {', '.join(violation['targets'])}"
                )
    await page.set_viewport_size(_SIZES[0])
    await page.emulate_media(color_scheme="light")
    return found
