#include "aetos/pipeline/report_page.hpp"

namespace aetos::pipeline::report {

// Colours: the Okabe-Ito palette, which people with any kind of colour blindness can tell apart.
const char* const kStyle = R"css(
:root {
  --paper: #fdfdfc; --ink: #1d2126; --soft: #5c656f; --faint: #e4e6e8; --card: #f4f5f5;
  --data: #0072b2; --second: #a8c9de; --accent: #c24e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e8ea; --soft: #98a2ad; --faint: #2c3239; --card: #1b1f25;
    --data: #56b4e9; --second: #2f5f7d; --accent: #e69f00;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Lato, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1120px; margin: 0 auto; padding: 48px 24px 72px; }
header h1 { margin: 0; font-size: 34px; font-weight: 650; letter-spacing: -0.015em; line-height: 1.15; overflow-wrap: anywhere; }
.subtitle { margin: 6px 0 0; color: var(--soft); }
section { margin-top: 56px; }
h2 { margin: 0 0 14px; font-size: 21px; font-weight: 650; letter-spacing: -0.01em; }
h3 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
p { margin: 0 0 16px; max-width: 72ch; }
a { color: inherit; text-decoration-color: var(--second); }
figure { margin: 0; min-width: 0; }
figcaption { margin-top: 8px; color: var(--soft); font-size: 14px; line-height: 1.45; max-width: 72ch; }

.headlines {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 214px)); margin: 32px 0 0; padding: 0;
  border: solid var(--faint); border-width: 1px 0;
}
.headlines > div { padding: 18px 16px 16px 18px; border-left: 1px solid var(--faint); }
.headlines > div:first-child { padding-left: 0; border-left: none; }
.headlines dt { color: var(--soft); font-size: 14px; }
.headlines dd { margin: 0; }
.big, .unit { white-space: nowrap; }
.big { font-size: 38px; font-weight: 300; letter-spacing: -0.02em; line-height: 1.2; }
.unit { font-size: 18px; color: var(--soft); }
.detail { display: block; color: var(--soft); font-size: 13px; line-height: 1.4; }

.row { display: grid; gap: 28px 32px; margin-bottom: 28px; align-items: start; }
.c2 { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.c3 { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.montage { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 10px 6px; }
.montage div { position: relative; }
.montage img { display: block; width: 100%; background: #000; border-radius: 2px; }
.square img { aspect-ratio: 1; object-fit: fill; }
.montage .angle { display: block; margin-top: 2px; text-align: center; color: var(--soft); font-size: 12px; line-height: 1.3; }
.montage .bar { position: absolute; left: 6%; bottom: 26px; height: 3px; background: #fff; }
.ramp { display: flex; align-items: center; gap: 8px; margin: 14px 0 0; color: var(--soft); font-size: 13px; flex-wrap: wrap; }
.ramp i { width: 160px; height: 10px; border-radius: 2px; background: linear-gradient(to right, #000, #fff); border: 1px solid var(--faint); }

svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Lato, "Liberation Sans", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .value { fill: var(--ink); }
svg .on-picture { fill: #fff; font-weight: 600; }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.grid { stroke: var(--faint); stroke-width: 1; }
.curve { stroke: var(--data); stroke-width: 2; fill: none; stroke-linejoin: round; stroke-linecap: round; }
.stem { stroke: var(--second); stroke-width: 1; }
.point, .bar-data { fill: var(--data); }
.bar-second { fill: var(--second); }
.mark { stroke: var(--accent); stroke-width: 1.5; }
svg .mark-label { fill: var(--accent); }
.dot { fill: none; stroke-width: 1.6; }
.s0 { --species: #e69f00; } .s1 { --species: #56b4e9; } .s2 { --species: #009e73; }
.s3 { --species: #f0e442; } .s4 { --species: #cc79a7; } .s5 { --species: #d55e00; }
.dot { stroke: var(--species); }
.key i { display: inline-block; width: 11px; height: 11px; margin-right: 6px; border-radius: 50%; border: 2px solid var(--species); }
.key span { margin-right: 18px; white-space: nowrap; }

.view3d canvas { display: block; width: 100%; height: min(70vh, 560px); margin: 10px 0; background: var(--card); border-radius: 4px; touch-action: none; cursor: grab; }
.view3d select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--faint); border-radius: 3px; padding: 3px 6px; max-width: 100%; }
.view3d label { display: inline-block; max-width: 100%; margin: 0 14px 4px 0; }
.view3d input { width: 180px; max-width: 60%; vertical-align: middle; accent-color: var(--data); }
.view3d [hidden] { display: none; }
.view3d .found { color: var(--soft); font-size: 14px; }
.scroll { overflow-x: auto; margin-bottom: 20px; }
table { border-collapse: collapse; font-size: 15px; }
th, td { padding: 6px 22px 6px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--faint); }
thead th { color: var(--soft); font-size: 13px; font-weight: 500; }
th:first-child { text-align: left; font-weight: 500; }
ul.warnings { margin: 0; padding: 0; list-style: none; max-width: 85ch; }
ul.warnings li { margin-bottom: 8px; padding: 8px 14px; background: var(--card); border-left: 3px solid var(--accent); border-radius: 0 3px 3px 0; overflow-wrap: anywhere; }
details { margin-bottom: 12px; }
summary { cursor: pointer; font-weight: 500; }
pre { overflow: auto; max-height: 520px; padding: 14px 16px; background: var(--card); border-radius: 4px; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }

@media (max-width: 820px) { .c3 { grid-template-columns: minmax(0, 1fr); } .c2 { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 520px) {
  main { padding: 28px 16px 48px; }
  header h1 { font-size: 27px; }
  section { margin-top: 42px; }
  .headlines { grid-template-columns: 1fr 1fr; }
  .headlines > div, .headlines > div:first-child { padding: 10px 8px 10px 12px; border-left: 1px solid var(--faint); }
  .headlines > div:nth-child(odd), .headlines > div:first-child { padding-left: 0; border-left: none; }
  .big { font-size: 30px; }
  .montage { grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); }
  svg text { font-size: 15px; }
}
@media print { section { break-inside: avoid; } details[open] pre { max-height: none; } }
)css";

}  // namespace aetos::pipeline::report
