/** The page's style sheet: light and dark, screen and paper, no font or image from elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d1c1a; --soft: #66625b; --rule: #e2ded6; --track: #efece5;
  --ours: #0f766e; --ours-soft: #99d5cd; --base: #8a8378; --base-soft: #d3cdc2; --warn: #b4430c; --good: #0f766e;
  --model: #8d96a3; --mask: #d9730d; --matcher: #edb458; --compile: #7a4fb5; --prompt: #4d7fc4; --repair: #c2417c; --other: #c9cdd4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141517; --card: #1c1e21; --ink: #edebe6; --soft: #a5a199; --rule: #33353a; --track: #292c31;
    --ours: #3fbfb1; --ours-soft: #1f5f59; --base: #948e84; --base-soft: #4b4842; --warn: #f2925a; --good: #3fbfb1;
    --model: #7d8896; --mask: #e58a2f; --matcher: #f0c36d; --compile: #a583dd; --prompt: #6f9fe0; --repair: #e0709f; --other: #4b515a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3.5rem; }
.kicker { color: var(--soft); font-size: .85rem; letter-spacing: .02em; margin: 0; }
h1 { font-size: clamp(1.9rem, 4.4vw, 3rem); line-height: 1.12; letter-spacing: -.02em; margin: .4rem 0 1rem; font-weight: 650; max-width: 22ch; }
.lead { font-size: 1.1rem; max-width: 46rem; color: var(--soft); margin: 0 0 2rem; }
.lead strong { color: var(--ink); font-weight: 600; }
section { margin: 4rem 0 0; }
h2 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 .35rem; font-weight: 640; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; font-weight: 640; }
.say { color: var(--soft); max-width: 46rem; margin: 0 0 1.4rem; }
.say + .say { margin-top: -.7rem; }
a { color: inherit; text-decoration-color: var(--ours); text-underline-offset: 2px; }
code { font: .88em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; margin: .8rem 0; }

.targets { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .8rem; margin: 0; padding: 0; list-style: none; }
.targets li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .9rem 1rem 1rem; display: flex; flex-direction: column; }
.targets .name { font-size: .84rem; color: var(--soft); min-height: 2.5em; line-height: 1.25; }
.targets .got { font-size: 1.7rem; line-height: 1.2; font-weight: 640; letter-spacing: -.02em; margin: .3rem 0 .1rem; }
.targets .note { font-size: .8rem; color: var(--soft); line-height: 1.35; }
.verdict { font-size: .8rem; margin-top: auto; padding-top: .6rem; font-weight: 600; }
.met { color: var(--good); } .missed { color: var(--warn); } .open { color: var(--soft); font-weight: 400; }

.chart { margin: 0; }
.row { display: grid; grid-template-columns: 12rem 1fr 10.5rem; gap: 0 1rem; align-items: center; padding: .34rem 0; }
.row .label { font-size: .93rem; line-height: 1.25; }
.row .label b { font-weight: 600; }
.row .label .n { color: var(--soft); margin-right: .35em; }
.row .value { font-size: .93rem; text-align: right; line-height: 1.25; }
.row .value small { display: block; color: var(--soft); font-size: .76rem; }
.track { position: relative; height: 1.45rem; background: var(--track); border-radius: 3px; }
.track > * { position: absolute; top: 0; bottom: 0; }
.row .value { white-space: nowrap; }
.fill { left: 0; border-radius: 3px 0 0 3px; background: var(--base); }
.fill.ours { background: var(--ours); }
.fill.also { background: var(--base-soft); }
.whisker { top: 50%; bottom: auto; height: 2px; margin-top: -1px; background: var(--ink); }
.whisker::before, .whisker::after { content: ""; position: absolute; top: -4px; height: 10px; width: 1.5px; background: var(--ink); }
.whisker::after { right: 0; }
.group-head { font-size: .8rem; color: var(--soft); padding: .7rem 0 .15rem; border-bottom: 1px solid var(--rule); margin-bottom: .3rem; }
.axis { display: grid; grid-template-columns: 12rem 1fr 10.5rem; gap: 0 1rem; font-size: .76rem; color: var(--soft); }
.axis .ticks { position: relative; height: 1.3rem; grid-column: 2; }
.axis .ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.axis .ticks span:first-child { transform: none; } .axis .ticks span:last-child { transform: translateX(-100%); }
.grid { width: 1px; background: var(--rule); } .goal { width: 2px; margin-left: -1px; background: var(--warn); }
.plain { background: none; }
.range { top: 50%; bottom: auto; height: 3px; margin-top: -1.5px; background: var(--base-soft); border-radius: 2px; }
.box { top: 18%; bottom: 18%; background: var(--base); border-radius: 3px; }
.ours .range { background: var(--ours-soft); } .ours .box { background: var(--ours); }
.median { width: 3px; margin-left: -1.5px; background: var(--ink); border-radius: 2px; }
.stack { overflow: hidden; display: flex; } .stack > * { position: static; height: 100%; }
.s-model { background: var(--model); } .s-mask { background: var(--mask); } .s-matcher { background: var(--matcher); }
.s-compile { background: var(--compile); } .s-prompt { background: var(--prompt); } .s-repair { background: var(--repair); } .s-other { background: var(--other); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .82rem; color: var(--soft); margin: 0 0 .7rem; padding: 0; list-style: none; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; vertical-align: -.05em; }
.dot { width: 11px; height: 11px; margin: -5.5px 0 0 -5.5px; top: 50% !important; bottom: auto !important; border-radius: 50%; background: var(--base); }
.dot.ours { background: var(--ours); } .between { top: 50%; bottom: auto; height: 2px; margin-top: -1px; background: var(--base-soft); }
.two .row { grid-template-columns: 11.5rem 1fr 5rem; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2.5rem; align-items: start; }
svg { max-width: 28rem; } svg text { fill: var(--soft); font-size: 12px; } svg .mark { fill: var(--ours); } svg .axis-line { stroke: var(--rule); } svg .equal { stroke: var(--soft); stroke-dasharray: 4 4; } 
svg { display: block; width: 100%; height: auto; overflow: visible; }

.scroll { overflow-x: auto; margin: 0 -1.5rem; padding: 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; }
caption { text-align: left; color: var(--soft); font-size: .84rem; padding-bottom: .5rem; }
th, td { text-align: right; padding: .42rem .6rem; border-bottom: 1px solid var(--rule); white-space: nowrap; vertical-align: baseline; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 9rem; }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom; white-space: normal; line-height: 1.25; }
td small { color: var(--soft); display: block; font-size: .92em; }
.heat td small { color: inherit; opacity: .78; }
td.left, th.left { text-align: left; }
.heat td.cell { text-align: center; border-bottom: 3px solid var(--paper); border-left: 3px solid var(--paper); border-radius: 6px; }
.heat th { text-align: center; } .heat th:first-child { text-align: left; }
.bad { color: var(--warn); font-weight: 600; }
dl.methods { display: grid; grid-template-columns: 12.5rem 1fr; gap: .55rem 1rem; margin: 0; font-size: .93rem; }
dl.methods dt { font-weight: 600; } dl.methods dd { margin: 0; color: var(--soft); max-width: 46rem; }
ul.notes { margin: 0; padding-left: 1.1rem; color: var(--soft); max-width: 46rem; font-size: .93rem; } ul.notes li { margin: .35rem 0; }
footer { color: var(--soft); font-size: .82rem; margin-top: 4rem; padding-bottom: 3rem; }
footer p { border-top: 1px solid var(--rule); padding-top: 1rem; margin: 0; }
@media (max-width: 46rem) {
  main, header, footer { padding-left: 1.1rem; padding-right: 1.1rem; }
  header { padding-top: 2rem; } section { margin-top: 3rem; }
  .row { grid-template-columns: 1fr auto; gap: .15rem .8rem; padding: .5rem 0; }
  .row .track { grid-column: 1 / -1; grid-row: 2; height: 1.15rem; }
  .row .value small { display: inline; margin-left: .4em; }
  .axis { grid-template-columns: 1fr; } .axis .ticks { grid-column: 1; }
  .two { grid-template-columns: minmax(0, 1fr); gap: 2rem; } .two .row { grid-template-columns: 1fr auto; }
  .scroll { margin: 0 -1.1rem; padding: 0 1.1rem; }
  dl.methods { grid-template-columns: 1fr; gap: .1rem; } dl.methods dd { margin-bottom: .7rem; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10.5pt; background: #fff; } main, header, footer { max-width: none; padding: 0; }
  section { margin-top: 1.6rem; } .row, .targets li, tr, h2, h3, svg { break-inside: avoid; } h2, h3, .say { break-after: avoid; }
  .track, .fill, .box, .range, .median, .dot, .between, .stack > *, .legend i, .heat td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; margin: 0; padding: 0; } table { font-size: 7.5pt; } th, td { padding: .25rem .3rem; }
}
`;
