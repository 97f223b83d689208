"""The page in headless Chromium: no errors, tabs and copy work, nothing is cut."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hostile_data import hostile
from test_page import verified
from test_style import clusters

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = {"plain": verified, "hostile": hostile, "clusters": clusters}
WIDTHS = (390, 768, 1280)
A4 = 718
"""Pixels between the margins of a printed page."""


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
@pytest.mark.parametrize("width", WIDTHS)
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


def test_a_complete_program_is_copied(browser: Any, folder: Path) -> None:
    page, _ = opened(browser, folder, "plain")
    page.click("#tab-nlme")
    page.click("#panel-nlme .copy >> nth=1")
    page.wait_for_function(
        "[...document.querySelectorAll('#panel-nlme [role=status]')]"
        ".some(one => one.textContent === 'Copied')"
    )
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.text_content("#script-nlme")
    assert "library(nlme)" in copied
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_text_stands_out_from_what_is_behind_it(browser: Any, folder: Path, name: str) -> None:
    """At least 4.5 to 1 (WCAG 1.4.3), by the colours that the browser computes."""
    page, _ = opened(browser, folder, name)
    assert page.evaluate(FAINT) == []
    page.evaluate("document.querySelector('.kicker').style.color = '#999'")
    assert [text[:12] for text, *_ in page.evaluate(FAINT)] == ["Verification"]
    page.context.close()


FAINT = """() => {
  const numbers = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => numbers(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor, n = numbers(c);
      if (n.length === 3 || n[3] > 0) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || e.closest('script, style, title, desc, defs')) continue;
    const drawn = e.closest('svg'), style = getComputedStyle(e);
    const a = light(drawn ? style.fill : style.color), b = light(behind(drawn || e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([text, ratio]);
  }
  return found;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_everything_has_a_name_and_an_order(browser: Any, folder: Path, name: str) -> None:
    page, _ = opened(browser, folder, name)
    assert page.evaluate("document.documentElement.lang") == "en"
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    nameless = """() => {
      const said = id => (document.getElementById(id) || {textContent: ''}).textContent;
      const name = e => e.getAttribute('aria-label')
        || (e.getAttribute('aria-labelledby') || '').split(' ').map(said).join(' ')
        || e.textContent;
      return [...document.querySelectorAll(
        'button, [role=tab], [role=tabpanel], [role=region], [role=img], [tabindex="0"], summary')]
        .filter(e => !name(e).trim()).map(e => e.outerHTML.slice(0, 80));
    }"""
    assert page.evaluate(nameless) == []
    missing = "[...document.querySelectorAll('thead th')].filter(h => h.scope !== 'col').length"
    assert page.evaluate(missing) == 0
    page.context.close()


def test_the_keyboard_reaches_everything_in_order(browser: Any, folder: Path) -> None:
    page, _ = opened(browser, folder, "plain")
    wanted = page.evaluate(
        """() => { let k = 0;
        return [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')]
          .filter(e => e.tabIndex >= 0 && e.offsetParent !== null || e.matches('.skip'))
          .map(e => { e.dataset.place = ++k; return String(k); }); }"""
    )
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.place"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert reached == wanted
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_pictures_and_print_are_whole(browser: Any, folder: Path, name: str) -> None:
    page, said = opened(browser, folder, name, A4)
    outside = """[...document.querySelectorAll('.picture svg')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter(t => {
        const box = t.getBoundingClientRect();
        return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2
          || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
      }).map(t => t.textContent);
    })"""
    assert page.evaluate(outside) == []
    page.emulate_media(media="print")
    cut = """[...document.querySelectorAll('main *')].filter(e => !e.closest('svg, math')
        && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(cut) == []
    assert len(page.pdf(format="A4")) > 50_000
    assert said == []
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
