"""The report in a real browser: Debian's chromium, headless."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.helpers.command_line import anyir

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine: apt-get install chromium (Debian's package)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(profiled, tmp_path_factory):
    """The page alone in a folder: whatever it needs must be in it."""
    out = tmp_path_factory.mktemp("report") / "index.html"
    process = anyir("report", profiled[1] / "results.json", "--out", out)
    assert process.returncode == 0, process.stderr
    assert str(out) in process.stdout
    return out


@pytest.fixture
def open_page(browser, report):
    """Opens the report; at the end no error and no request but for the page itself may have been seen."""
    faults, contexts = [], []

    def opener(width, height=800, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: faults.append(f"console {m.type}: {m.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("requestfailed", lambda r: faults.append(f"failed: {r.url[:80]}"))

        def requested(request):
            if not request.url.startswith("data:") and request.url != report.as_uri():
                faults.append(f"external: {request.url[:80]}")

        page.on("request", requested)
        page.goto(report.as_uri())
        return page

    yield opener
    for context in contexts:
        context.close()
    assert faults == []


def test_the_slider_follows_the_pointer_in_pixels(open_page):
    page = open_page(1200, 900)
    stage = page.locator("#stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    shots = []
    for share in (0.2, 0.8):
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        assert float(page.locator("#split").input_value()) == pytest.approx(100 * share, abs=1)
        width = page.locator("#left").evaluate("e => e.getBoundingClientRect().width")
        clip = page.locator("#left").evaluate("e => getComputedStyle(e).clipPath")
        assert clip.startswith("inset(")
        assert width == pytest.approx(box["width"], abs=1)
        shots.append(stage.screenshot())
    assert changed(*shots, box, 0.3, 0.7) > 0.2  # degraded where it was restored
    assert changed(*shots, box, 0.02, 0.12) < 0.02  # and the same where neither divider nor tag was


def changed(first, second, box, left, right):
    """Share of pixels that differ in a band of columns, clear of divider and tags."""
    import io

    import numpy as np
    from PIL import Image

    a, b = (np.asarray(Image.open(io.BytesIO(s)).convert("RGB")).astype(int) for s in (first, second))
    columns = slice(int(a.shape[1] * left), int(a.shape[1] * right))
    rows = slice(int(a.shape[0] * 0.1), int(a.shape[0] * 0.4))
    return float((np.abs(a - b)[rows, columns].max(axis=-1) > 3).mean())


def test_the_slider_follows_the_keys(open_page):
    page = open_page(360)
    page.locator("#split").focus()
    before = float(page.locator("#split").input_value())
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    after = float(page.locator("#split").input_value())
    assert after > before
    assert page.locator("#stage").evaluate("e => e.style.getPropertyValue('--split')") == f"{after:g}%"
    page.keyboard.press("Home")
    assert page.locator("#split").input_value() == "0"


def test_every_degradation_and_program_has_its_pictures(open_page):
    page = open_page(1200, 900)
    kinds = page.locator("#kind option").evaluate_all("o => o.map(e => e.value)")
    programs = page.locator("#program option").evaluate_all("o => o.map(e => e.value)")
    assert len(kinds) == 9
    assert len(programs) == 3 + 3  # measured, and Core ML's, which are evaluated
    seen = set()
    for program in programs:
        page.select_option("#program", program)
        for kind in kinds:
            page.select_option("#kind", kind)
            for against in ("degraded", "truth"):
                page.check(f"input[value={against}]")
                for picture in ("#left", "#right"):
                    page.wait_for_function("e => document.querySelector(e).complete", arg=picture)
                    assert page.locator(picture).evaluate("e => e.naturalWidth") == 64
                seen.add(page.locator("#left").get_attribute("src"))
            assert page.locator("#psnr-output").inner_text().endswith(("dB", "identical"))
            assert page.locator("#need").inner_text().endswith("of 255; a fault is 2.5 or more).")
    assert len(seen) == 8 + 3  # degraded tiles, and the three photos; the clean tile is its own truth
    broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length")
    assert broken == 0


@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_width(open_page, width, scheme):
    page = open_page(width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.scrollWidth") <= width
    plots = page.locator(".plot svg:visible")
    assert plots.count() == 1
    assert plots.first.bounding_box()["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(open_page, scheme):
    page = open_page(1200, scheme=scheme)
    for selector in ("body", ".lead", ".hint", ".badge.failed", ".badge.evaluated", ".eyebrow"):
        assert contrast(page, selector) >= 4.5, selector


def contrast(page, selector):
    """WCAG's contrast ratio of an element's text with the page."""
    colours = page.evaluate(
        "s => [document.querySelector(s), document.body].map((e, i) =>"
        " getComputedStyle(e)[i ? 'backgroundColor' : 'color'].match(/\\d+/g).slice(0, 3).map(Number))",
        selector,
    )

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(c) for c in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_failures_are_on_the_page_and_it_is_small(open_page, report):
    page = open_page(360)
    text = page.locator("#missing").inner_text()
    for reason in ("changed since it was built", "no manifest at", "not built", "Core ML runs on macOS"):
        assert reason in text
    assert report.stat().st_size < 8e6
