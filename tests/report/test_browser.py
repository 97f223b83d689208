"""The page in headless Chromium: no errors, tabs and copy work, nothing is cut."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_data import hostile
from test_page import verified

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = {"plain": verified, "hostile": hostile}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with driver.sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    for name, of in PAGES.items():
        of().to_html(place / f"{name}.html")
    return place


def opened(browser: Any, folder: Path, name: str, width: int = 1280) -> tuple[Any, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:")) else said.append(r.url),
    )
    page.goto((folder / f"{name}.html").as_uri())
    return page, said


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_cut_and_nothing_complains(
    browser: Any, folder: Path, name: str, width: int
) -> None:
    page, said = opened(browser, folder, name, width)
    whole = "document.documentElement"
    assert page.evaluate(f"{whole}.scrollWidth <= {whole}.clientWidth")
    cut = """[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg') &&
        e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(cut) == []
    for tab in page.query_selector_all('[role="tab"]'):
        tab.click()
        assert page.evaluate(f"{whole}.scrollWidth <= {whole}.clientWidth")
    assert page.evaluate("window.hacked") is None
    assert said == []
    page.context.close()


def test_tabs_by_mouse_and_by_keyboard(browser: Any, folder: Path) -> None:
    page, _ = opened(browser, folder, "plain")
    shown = (
        "[...document.querySelectorAll('[role=tabpanel]')].filter(p => !p.hidden).map(p => p.id)"
    )
    first = page.evaluate(shown)
    assert first == ["panel-lme4"]
    page.click("#tab-lavaan")
    assert page.evaluate(shown) == ["panel-lavaan"]
    assert page.get_attribute("#tab-lavaan", "aria-selected") == "true"
    page.keyboard.press("Home")
    assert page.evaluate(shown) == first
    page.keyboard.press("ArrowLeft")
    last = page.evaluate("[...document.querySelectorAll('[role=tab]')].at(-1).id")
    assert page.evaluate("document.activeElement.id") == last
    page.keyboard.press("ArrowRight")
    assert page.evaluate(shown) == first
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "panel-lme4"
    page.context.close()


def test_copy_copies_what_is_shown(browser: Any, folder: Path) -> None:
    page, _ = opened(browser, folder, "plain")
    page.click("#tab-lavaan")
    page.click("#panel-lavaan .copy")
    page.wait_for_function(
        "document.querySelector('#panel-lavaan [role=status]').textContent === 'Copied'"
    )
    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#code-lavaan")
    page.context.close()


def test_print_shows_every_program(browser: Any, folder: Path) -> None:
    page, _ = opened(browser, folder, "plain")
    page.emulate_media(media="print")
    for panel in page.query_selector_all('[role="tabpanel"]'):
        assert panel.is_visible()
    assert not page.is_visible(".copy")
    page.context.close()


def test_labels_of_the_diagram_are_drawn_apart(browser: Any, folder: Path) -> None:
    """What the layout promises holds for the text as the browser measures it."""
    page, _ = opened(browser, folder, "plain")
    overlapping = """() => {
      const boxes = [...document.querySelectorAll('.drawing svg text')]
        .map(t => [t.textContent, t.getBoundingClientRect()]);
      const meet = (a, b) => a.left < b.right && b.left < a.right
        && a.top < b.bottom - 2 && b.top < a.bottom - 2;
      const found = [];
      for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++)
        if (meet(boxes[i][1], boxes[j][1])) found.push([boxes[i][0], boxes[j][0]]);
      return found;
    }"""
    assert page.evaluate(overlapping) == []
    page.context.close()
