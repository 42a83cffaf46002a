#!/usr/bin/env python3
"""Opens the HTML reports: are they well-formed, and does a browser show them as meant?

    pages.py WRITE_PAGES

WRITE_PAGES writes the pages into a folder. Each must be XML and HTML, and allow its own script. In Chromium, in light and
dark and at the widths of a desk and of a phone: nothing on the console, nothing loaded, no sideways scrolling of the page,
text with a contrast of 4.5 to 1, pictures with names, tables that sort. Exits 77 (skipped) where there is no Chromium.
"""

import base64
import hashlib
import html.parser
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from devtools import Browser, NoBrowser

XHTML = "{http://www.w3.org/1999/xhtml}"

# Every text whose colour has too little contrast with what is behind it (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = rgb => rgb.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = Array.from(element.childNodes).filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!text.length || ['SCRIPT', 'title', 'desc'].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const a = luminance(ink), b = luminance(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (!(ratio >= 4.5)) found.push(ratio.toFixed(2) + ' ' + text[0].textContent.trim().slice(0, 40));
  }
  return [...new Set(found)].slice(0, 5);
})()"""

LAYOUT = """({
  width: window.innerWidth, scroll: document.documentElement.scrollWidth,
  dark: getComputedStyle(document.body).backgroundColor,
  heading: document.querySelector('h1').textContent, scripts: document.scripts.length,
  tables: document.querySelectorAll('table caption').length, pictures: document.querySelectorAll('svg').length,
  buttons: document.querySelectorAll('th button').length, images: document.images.length,
  small: [...document.querySelectorAll('svg text')].filter(t => t.getBoundingClientRect().height < 9).length,
  hidden: [...document.querySelectorAll('svg text')].filter(t => {
    const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
    return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
  }).map(t => t.textContent).slice(0, 5)
})"""

SORTED = """(() => {
  const cell = [...document.querySelectorAll('table.sortable')].pop().tHead.rows[0].cells[0];
  const first = () => [...document.querySelectorAll('table.sortable')].pop().tBodies[0].rows[0].cells[0].textContent;
  cell.querySelector('button').click();
  const up = first();
  cell.querySelector('button').click();
  return [up, first(), cell.getAttribute('aria-sort')];
})()"""

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


class Outline(html.parser.HTMLParser):
    """Elements that an HTML reader leaves open or closes twice, and headings that skip a level."""

    VOID = {"meta", "wbr", "img", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.level = [], [], 0

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            if int(tag[1]) > self.level + 1:
                self.wrong.append(f"{tag} after h{self.level}")
            self.level = int(tag[1])

    def handle_startendtag(self, tag, attributes):
        inside_svg = "svg" in self.open
        if tag not in self.VOID and not inside_svg:
            self.wrong.append(f"<{tag}/> is no empty element in HTML")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def check_text(page):
    text = page.read_text(encoding="utf-8")
    tree = ET.fromstring(text)  # raises where it is not well-formed
    outline = Outline()
    outline.feed(text)
    check(not outline.wrong and not outline.open, f"{page.name}: {outline.wrong} {outline.open}")
    script = tree.find(f".//{XHTML}script").text
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    check(f"'sha256-{digest}'" in text, f"{page.name}: script_hash of verify/report/html_style.cpp must be {digest}")


def check_in_browser(browser, page, width, scheme):
    where = f"{page.name}, {width} px, {scheme}"
    browser.open(page.as_uri(), width, scheme)
    layout = browser.evaluate(LAYOUT)
    check(layout["scroll"] <= width, f"{where}: {layout['scroll']} px wide")
    dark = sum(map(int, re.findall(r"\d+", layout["dark"])[:3])) < 200
    check(dark == (scheme == "dark"), f"{where}: background {layout['dark']}")
    check(layout["heading"], f"{where}: no heading")
    check(layout["scripts"] == 1 and layout["images"] == 0, f"{where}: scripts or images that are not of the page")
    check(layout["small"] == 0, f"{where}: {layout['small']} labels of pictures too small to read")
    check(not layout["hidden"], f"{where}: labels outside of their picture: {layout['hidden']}")
    contrast = browser.evaluate(CONTRAST)
    check(not contrast, f"{where}: contrast {contrast}")
    complaints = browser.complaints()
    check(not complaints, f"{where}: console: {complaints}")
    return layout


def check_shown(browser, pages, drawn):
    for page in pages:
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            layout = check_in_browser(browser, page, width, scheme)
        if page.stem == "suite":
            check(layout["tables"] >= 20 and layout["buttons"] >= 8, f"{page.name}: {layout}")
            check(layout["pictures"] == (24 if drawn else 0), f"{page.name}: {layout['pictures']} pictures")
            last = browser.evaluate(SORTED)
            check(last == ["suite_case_number_0", "suite_case_number_59", "descending"], f"sorting: {last}")


def main():
    with tempfile.TemporaryDirectory(prefix="dca_pages_") as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        pages = sorted(Path(folder).glob("*.html"))
        check(len(pages) >= 8, f"only {len(pages)} pages")
        for page in pages:
            check_text(page)
        drawn = "<svg" in (Path(folder) / "one.html").read_text(encoding="utf-8")
        skipped = None
        try:
            browser = Browser()
        except NoBrowser as error:
            skipped = error
        else:
            try:
                check_shown(browser, pages, drawn)
            finally:
                browser.close()
    for failure in failures:
        print(failure)
    if failures:
        return 1
    if skipped:
        print(f"skipped: {skipped}; {len(pages)} pages are well-formed, but no browser showed them")
        return 77
    print(f"{len(pages)} pages shown in light and dark, wide and narrow" + ("" if drawn else "; no gnuplot, no pictures"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
