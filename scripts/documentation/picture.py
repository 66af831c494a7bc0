"""Makes the screenshots of a tearsheet in README, from a run on the bundled bars."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

import engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Page

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_OPTIONS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
WIDTH, DEVICE_SCALE, MARGIN = 1180, 1.5, 20
HEADLINES, EQUITY_CHART = ".headlines", "#equity"
"""Selectors: the last element of the upper part of the picture, the element of the lower part."""

MAX_BYTES = 300_000


def write_screenshot(browser: Browser, page: Path, scheme: str, image: Path) -> None:
    """Writes a picture of the head of a page and its equity chart, in 256 colours.

    Args:
        browser: Browser that is running.
        page: HTML file.
        scheme: `light` or `dark`.
        image: PNG file to write.
    """
    tab = browser.new_page(
        viewport={"width": WIDTH, "height": 900},
        device_scale_factor=DEVICE_SCALE,
        color_scheme=scheme,
    )
    tab.goto(page.resolve().as_uri())
    headlines, equity = (
        tab.locator(selector).first.bounding_box() for selector in (HEADLINES, EQUITY_CHART)
    )
    if headlines is None or equity is None:
        sys.exit(f"{page} has no {HEADLINES} or no {EQUITY_CHART}")
    upper = _capture(tab, 0.0, headlines["y"] + headlines["height"] + MARGIN)
    lower = _capture(tab, equity["y"] - MARGIN, equity["y"] + equity["height"] + MARGIN)
    tab.close()
    whole = Image.new("RGB", (upper.width, upper.height + lower.height))
    whole.paste(upper, (0, 0))
    whole.paste(lower, (0, upper.height))
    whole.quantize(256, dither=Image.Dither.NONE).save(image, optimize=True)


def _capture(tab: Page, top: float, bottom: float) -> Image.Image:
    """The part of a page between two heights, in pixels of the page."""
    clip: FloatRect = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top}
    return Image.open(BytesIO(tab.screenshot(full_page=True, clip=clip)))


def main() -> None:
    """Runs the strategy and makes one picture for each colour scheme."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategy", default="strategies/ridge.yaml")
    parser.add_argument("--run", type=Path, help="folder of a finished run to use instead")
    arguments = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (
            arguments.run
            or engine.run(
                arguments.strategy, offline=True, out=temporary, home=Path(temporary) / "home"
            ).run_dir
        )
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", *BROWSER_OPTIONS]
            )
            for scheme, name in (("light", "tearsheet.png"), ("dark", "tearsheet-dark.png")):
                write_screenshot(browser, Path(folder) / "tearsheet.html", scheme, IMAGES / name)
            browser.close()
    sizes = {image.name: image.stat().st_size for image in sorted(IMAGES.glob("tearsheet*.png"))}
    sys.stdout.writelines(f"docs/images/{name}: {size} bytes\n" for name, size in sizes.items())
    if max(sizes.values()) > MAX_BYTES:
        sys.exit(f"a picture is larger than {MAX_BYTES} bytes")


if __name__ == "__main__":
    main()
