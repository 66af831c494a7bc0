"""The picture of a tearsheet in README: a run on the bundled bars, opened and photographed."""

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
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update")
WIDTH, SHARPNESS, MARGIN = 1180, 1.5, 20
HEAD, PATHS = ".headlines", "#equity"
"""What the first part of the picture ends with, and what the second shows."""

MOST_BYTES = 300_000


def photograph(browser: Browser, page: Path, scheme: str, image: Path) -> None:
    """The head of a page and its chart of equity, in 256 colours.

    Args:
        browser: Running.
        page: HTML file.
        scheme: `light` or `dark`.
        image: PNG file to write.
    """
    place = browser.new_page(
        viewport={"width": WIDTH, "height": 900},
        device_scale_factor=SHARPNESS,
        color_scheme=scheme,
    )
    place.goto(page.resolve().as_uri())
    head, paths = (place.locator(each).first.bounding_box() for each in (HEAD, PATHS))
    if head is None or paths is None:
        sys.exit(f"{page} has no {HEAD} or no {PATHS}")
    spans = [
        (0.0, head["y"] + head["height"] + MARGIN),
        (paths["y"] - MARGIN, paths["y"] + paths["height"] + MARGIN),
    ]
    taken = [_taken(place, *span) for span in spans]
    place.close()
    whole = Image.new("RGB", (taken[0].width, sum(part.height for part in taken)))
    whole.paste(taken[0], (0, 0))
    whole.paste(taken[1], (0, taken[0].height))
    whole.quantize(256, dither=Image.Dither.NONE).save(image, optimize=True)


def _taken(place: Page, top: float, bottom: float) -> Image.Image:
    clip: FloatRect = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top}
    return Image.open(BytesIO(place.screenshot(full_page=True, clip=clip)))


def main() -> None:
    """Runs the strategy, and takes one picture a colour scheme."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategy", default="strategies/ridge.yaml")
    parser.add_argument("--run", type=Path, help="folder of a run that is there, instead")
    asked = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = (
            asked.run
            or engine.run(
                asked.strategy, offline=True, out=place, home=Path(place) / "home"
            ).run_dir
        )
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        with sync_playwright() as tools:
            browser = tools.chromium.launch(executable_path=program, args=["--no-sandbox", *QUIET])
            for scheme, name in (("light", "tearsheet.png"), ("dark", "tearsheet-dark.png")):
                photograph(browser, Path(folder) / "tearsheet.html", scheme, IMAGES / name)
            browser.close()
    sizes = {image.name: image.stat().st_size for image in sorted(IMAGES.glob("tearsheet*.png"))}
    sys.stdout.writelines(f"docs/images/{name}: {size} bytes\n" for name, size in sizes.items())
    if max(sizes.values()) > MOST_BYTES:
        sys.exit(f"a picture has more than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
