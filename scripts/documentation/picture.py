"""The picture of a tearsheet in README: a run on the bundled bars, opened and photographed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

import engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update")
WIDTH, HEIGHT, SHARPNESS = 1180, 980, 1.5
MOST_BYTES = 300_000


def photograph(browser: Browser, page: Path, scheme: str, image: Path) -> None:
    """The top of a page, in 256 colours.

    Args:
        browser: Running.
        page: HTML file.
        scheme: `light` or `dark`.
        image: PNG file to write.
    """
    place = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=SHARPNESS,
        color_scheme=scheme,
    )
    place.goto(page.resolve().as_uri())
    place.screenshot(path=image)
    place.close()
    with Image.open(image) as taken:
        few = taken.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(image, optimize=True)


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
