#include "server/status/page_files.hpp"

namespace cppcorn {

const char* const page_style =
    R"(:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6672; --paper: #fff; --line: #d8dde3;
  --good: #1a7f37; --bad: #c1121f; --busy: #9a5b00; --area: #cfe3fb; --stroke: #1f6feb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --paper: #14181d; --line: #333b45;
  --good: #4cc26b; --bad: #ff7b72; --busy: #e3a44a; --area: #17324f; --stroke: #6cb0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0 .8rem 0 0; display: inline-block; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
.soft, figcaption span, th { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin-top: 1rem; }
figure { margin: 0; } figcaption { display: flex; gap: .3rem; } figcaption span { margin-left: auto; font-size: .85em; }
svg { display: block; width: 100%; height: 60px; border-bottom: 1px solid var(--line); }
.area { fill: var(--area); } .line { fill: none; stroke: var(--stroke); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; }
th { font-weight: 500; font-size: .85em; }
td.number, th.number { text-align: right; }
td.request { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; max-width: 34rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; margin: .3rem 0; padding: .5rem; border: 1px solid var(--line); }
details { margin: .3rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
td.value { white-space: normal; overflow-wrap: anywhere; }
)";

const char* const page_script = R"("use strict";
// Fetches the page again and puts its content in place of what is shown; what was unfolded stays so.
async function refresh() {
  try {
    const answer = await fetch("./", { cache: "no-store" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = new Set([...document.querySelectorAll("details[open]")].map(each => each.id));
    for (const each of next.querySelectorAll("details")) each.open = open.has(each.id);
    document.title = next.title;
    document.querySelector("main").replaceWith(next.querySelector("main"));
    document.body.classList.remove("stale");
  } catch (error) {
    document.querySelector("#state").textContent = "does not answer";
    document.querySelector("#state").className = "bad";
  }
  setTimeout(refresh, document.hidden ? 10000 : 2000);
}
setTimeout(refresh, 2000);
)";

} // namespace cppcorn
