// How the HTML page looks: one column, light or dark as the reader's system is, legible on a phone and on paper.
// Text has a contrast of at least 4.5 to 1 on its background (WCAG 2.2, 1.4.3); the page test computes it.
#include "verify/report/html_parts.hpp"

namespace dca::verify::html {

const std::string_view style = R"css(
:root{color-scheme:light dark;--page:#ffffff;--soft:#f3f5f7;--line:#c9d1d9;--ink:#1f2328;--muted:#57606a;--link:#0550ae;
--pass:#17652b;--pass-soft:#e3f5e6;--warn:#7a4b00;--warn-soft:#fdf0d0;--fail:#a11b14;--fail-soft:#fdeae8}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--soft:#171d25;--line:#39424e;--ink:#e6edf3;--muted:#9ba6b2;
--link:#79b8ff;--pass:#74dc8c;--pass-soft:#12301b;--warn:#f0b849;--warn-soft:#372a0d;--fail:#ff9389;--fail-soft:#431a18}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:72rem;margin:0 auto;padding:1rem}
h1{margin:0;font-size:1.6rem}h2{margin:0 0 .5rem;font-size:1.25rem}h3{margin:1.25rem 0 .25rem;font-size:1rem}
p{margin:.5rem 0;max-width:75ch}
a{color:var(--link)}
section{margin:2rem 0 0}
.case{border-top:2px solid var(--line);padding-top:1rem}
.verdict{border-left:.5rem solid;border-radius:.25rem;padding:.75rem 1rem}
.verdict p{margin:0;max-width:none;color:var(--ink)}
.pass{color:var(--pass);background:var(--pass-soft)}
.warn{color:var(--warn);background:var(--warn-soft)}
.fail{color:var(--fail);background:var(--fail-soft)}
.chip{display:inline-block;border-radius:1rem;padding:0 .6em;font-size:.875rem;font-weight:600;white-space:nowrap}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .75rem;margin:.5rem 0}
.facts dt{color:var(--muted)}.facts dd{margin:0;font-variant-numeric:tabular-nums}
.mistake{border-left:.25rem solid var(--fail);background:var(--soft);padding:.5rem .75rem}
.killed{color:var(--fail)}
.quiet{color:var(--muted)}
.scroll{overflow-x:auto;margin:.5rem 0 1rem}
table{border-collapse:collapse;font-size:.9375rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:.25rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);overflow-wrap:normal}
thead th{white-space:nowrap}
tbody th{font-weight:500}
table.cards td:last-child{min-width:9rem}
@media (max-width:44rem){table.cards,.cards tbody,.cards tr,.cards th,.cards td,.cards caption{display:block}
.cards thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.cards tr{border-bottom:1px solid var(--line);padding:.4rem 0}.cards th,.cards td{border:0;padding:.05rem 0;overflow-wrap:anywhere}
.cards tbody th,.cards td:nth-child(2),.cards td:nth-child(3){display:inline-block;margin-right:.75rem}}
.n{text-align:right;white-space:nowrap}
.sortable th button{all:unset;cursor:pointer;text-decoration:underline dotted;text-underline-offset:.2em}
.sortable th button:focus-visible{outline:2px solid var(--link)}
th[aria-sort=ascending] button::after{content:" \2191"}th[aria-sort=descending] button::after{content:" \2193"}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .75rem;margin:.25rem 0;
white-space:pre-wrap;font-size:.875rem}
pre.copy code{user-select:all}
button.copy{font:inherit;font-size:.875rem;color:var(--link);background:none;border:1px solid var(--line);
border-radius:.25rem;padding:.1rem .6rem;cursor:pointer}
.pictures{display:flex;flex-wrap:wrap;gap:1rem 1.5rem;align-items:flex-start}
figure{margin:.5rem 0;flex:0 1 30rem;min-width:0;max-width:100%}
figure.wide{flex-basis:100%;overflow-x:auto}figure.wide svg{min-width:50rem}
figcaption{font-size:.9375rem;color:var(--muted)}
figure svg{display:block;width:100%;height:auto}
svg image{image-rendering:pixelated}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}
footer{color:var(--muted);text-align:center;padding:2rem 1rem;font-size:.875rem}
@media print{:root{--page:#fff;--soft:#fff;--ink:#000;--muted:#333;--line:#999}body{font-size:10pt}.scroll{overflow:visible}
button{display:none!important}figure,tr,pre,dl{break-inside:avoid}h2,h3{break-after:avoid}main{max-width:none;padding:0}
.verdict,.chip{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

const std::string_view script = R"js(
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  if (body.rows.length > 1) Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => row.cells[column].dataset.sort || row.cells[column].textContent;
      const order = (a, b) => {
        const x = key(a), y = key(b);
        return Number(x) - Number(y) || x.localeCompare(y, "en", {numeric: true});
      };
      const rows = Array.from(body.rows).sort(order);
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}
if (navigator.clipboard) for (const text of document.querySelectorAll("pre.copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => navigator.clipboard.writeText(text.textContent)
    .then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Select the text to copy it"; }));
  text.after(button);
}
)js";

const std::string_view script_hash = "VPcDwjVYxVi52RiuMB8wA9ILWljGrDFgTk803XO07UI=";

}  // namespace dca::verify::html
