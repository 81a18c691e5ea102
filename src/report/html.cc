// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include "base/format.h"

namespace modicum {
namespace {

// Text colours have a contrast of at least 4.5 : 1 with their ground in both
// themes, lines of at least 3 : 1 where they carry meaning.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#fdfdfc;--fg:#1b1f24;--mu:#59626d;
--ln:#e3e6e9;--dim:#7a838d;--ac:#0a6b62;--soft:#eef3f2}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e8eaec;
--mu:#a4adb7;--ln:#2d3339;--dim:#7f8993;--ac:#56c7b8;--soft:#1b2423}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:54rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.15rem;font-weight:600;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;font-weight:600;margin:3.25rem 0 .6rem;line-height:1.3}
p,ul{margin:.5rem 0;max-width:44rem}
ul{padding-left:1.2rem}li{margin:.3rem 0}
.kick{color:var(--mu);font-size:.85rem;margin:0 0 .15rem}
.lead{font-size:1.4rem;line-height:1.4;margin:1.1rem 0 .6rem;
overflow-wrap:anywhere}
.mu,figcaption,summary,.note{color:var(--mu);font-size:.88rem}
.stats{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));
gap:1.3rem 1.5rem;margin:1.8rem 0;padding:1.3rem 0;
border-top:1px solid var(--ln);border-bottom:1px solid var(--ln)}
.stats dt{color:var(--mu);font-size:.85rem}
.stats dd{margin:0}.stats .big{font-size:1.5rem;line-height:1.35;
font-weight:600}
.stats dd span{display:block;font-size:.85rem;color:var(--mu);line-height:1.45}
.facts{display:grid;grid-template-columns:minmax(6.5rem,auto) 1fr;
gap:.25rem 1.25rem;font-size:.92rem;margin:1rem 0}
.facts dt{color:var(--mu)}.facts dd{margin:0;overflow-wrap:anywhere}
figure{margin:1.25rem 0 0}figcaption{max-width:44rem;margin:.4rem 0}
svg{display:block;width:100%;overflow:visible}
svg text{font-size:12px;fill:var(--fg)}svg .m{fill:var(--mu)}
svg .b{font-weight:600}svg .a{fill:var(--ac);font-weight:600}
.e{text-anchor:end}.c{text-anchor:middle}
.g{stroke:var(--ln)}.ax,.wh{stroke:var(--dim)}
.tk{stroke-width:2}.wa{stroke:var(--ac);stroke-width:2}
.ds{stroke-dasharray:3 3}.fr{stroke:var(--mu);stroke-width:1.5}
.rq{stroke:var(--fg);stroke-dasharray:7 4}
.rf{stroke:var(--dim);stroke-dasharray:2 4;stroke-width:1.5}
.k0{fill:var(--ac);stroke:var(--bg);stroke-width:2}
.k1{fill:var(--bg);stroke:var(--fg);stroke-width:1.75}
.k2{fill:none;stroke:var(--dim);stroke-width:1.75}
.k3{fill:var(--bg);stroke:var(--mu);stroke-width:1.5;stroke-dasharray:2 1.5}
.halo{stroke:var(--bg);stroke-width:4;stroke-linejoin:round;paint-order:stroke}
.bs{fill:var(--dim)}.bsa{fill:var(--ac)}
.bh{fill:url(#h);stroke:var(--dim)}.bha{fill:url(#ha);stroke:var(--ac)}
#h path{stroke:var(--dim);stroke-width:2}#ha path{stroke:var(--ac);
stroke-width:3}
.key{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:0;margin:.6rem 0 0;
list-style:none;color:var(--mu);font-size:.82rem}
.key li{margin:0;display:flex;align-items:center;gap:.4rem}
.key svg{width:24px;height:16px;flex:none}
.n{display:none}
details{margin:.5rem 0}summary{cursor:pointer}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.86rem;width:100%}
caption{text-align:left;color:var(--mu);padding-bottom:.4rem}
th,td{text-align:left;vertical-align:top;padding:.42rem .8rem .42rem 0;
border-bottom:1px solid var(--ln);font-weight:400}
thead th{color:var(--mu);vertical-align:bottom}
td.r,th.r{text-align:right}td{min-width:5.2rem}
tbody th{min-width:8.5rem;overflow-wrap:anywhere}
td small,th small{display:block;color:var(--mu);font-size:.92em}
tbody th b{color:var(--ac)}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
overflow-wrap:anywhere}
pre{background:var(--soft);padding:.8rem 1rem;overflow-x:auto;border-radius:4px}
.cls{display:inline-block;min-width:1.6em;text-align:center;font-weight:600;
border:1.5px solid var(--ac);color:var(--ac);border-radius:3px}
a{color:var(--ac)}:focus-visible{outline:2px solid var(--ac);outline-offset:2px}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--ln)}
@media(max-width:640px){main{padding:1.5rem 1rem 3rem}.lead{font-size:1.18rem}
.n{display:inline}.w{display:none}.facts{grid-template-columns:1fr;gap:0}
.facts dd{margin-bottom:.5rem}svg text{font-size:11px}
.stats{grid-template-columns:1fr 1fr}.stats .big{font-size:1.3rem}}
@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--mu:#4a525b;
--ln:#d5d8db;--dim:#6c747c;--ac:#075a52;--soft:#f3f4f4}
body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
html{font-size:13px}.stats{grid-template-columns:repeat(4,1fr)}
main{max-width:none;padding:0}h2{margin-top:1.6rem;break-after:avoid}
figure,.stats,tr{break-inside:avoid}.scroll{overflow:visible}
table{font-size:8pt}td,tbody th{min-width:0;padding-right:.6rem}
details::details-content{content-visibility:visible;block-size:auto}
@page{size:A4;margin:16mm}}
)css";

// Marks and hatches of every plot of the page, defined once. A mark's class
// is its look: chosen, good enough, failing, published, planned.
constexpr std::string_view kMarks =
    "<svg width=\"0\" height=\"0\" style=\"position:absolute;width:0\" "
    "aria-hidden=\"true\"><defs>"
    "<circle id=\"m0\" class=\"k0\" r=\"7\"/>"
    "<circle id=\"m1\" class=\"k1\" r=\"4.5\"/>"
    "<path id=\"m2\" class=\"k2\" d=\"M-4-4 4 4M-4 4 4-4\"/>"
    "<path id=\"m3\" class=\"k3\" d=\"M0-6 6 0 0 6-6 0Z\"/>"
    "<path id=\"m4\" class=\"k3\" d=\"M0-6 6 5-6 5Z\"/>"
    "<pattern id=\"h\" width=\"6\" height=\"6\" "
    "patternUnits=\"userSpaceOnUse\"><path d=\"M-1 7 7-1M-1 1 1-1M5 7 7 "
    "5\"/></pattern>"
    "<pattern id=\"ha\" width=\"6\" height=\"6\" "
    "patternUnits=\"userSpaceOnUse\"><path d=\"M-1 7 7-1M-1 1 1-1M5 7 7 "
    "5\"/></pattern></defs></svg>\n";

std::string_view Class(Align align) {
  return align == Align::kRight ? " class=\"r\"" : "";
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
  }
  return out;
}

std::string Wrap(std::string_view tag, std::string_view html) {
  std::string out = "<";
  out.append(tag).append(">").append(html).append("</");
  return out.append(tag.substr(0, tag.find(' '))).append(">");
}

std::string Element(std::string_view tag, std::string_view text) {
  return Wrap(tag, EscapeHtml(text));
}

std::string FactList(const Facts& facts) {
  std::string items;
  for (const auto& [name, html] : facts)
    if (!html.empty()) items += Element("dt", name) + Wrap("dd", html) + "\n";
  return Wrap("dl class=\"facts\"", items) + "\n";
}

std::string TwoLines(const std::string& text) {
  const size_t end = text.find(" [");
  if (end == std::string::npos) return EscapeHtml(text);
  return EscapeHtml(text.substr(0, end)) +
         Element("small", text.substr(end + 1));
}

std::string BulletList(const std::vector<std::string>& items) {
  std::string html;
  for (const std::string& item : items) html += Element("li", item) + "\n";
  return html.empty() ? html : Wrap("ul", html) + "\n";
}

std::string HtmlTable(std::string_view caption,
                      const std::vector<HtmlColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows) {
  std::string head;
  for (const HtmlColumn& column : columns)
    head += "<th scope=\"col\"" + std::string(Class(column.align)) + ">" +
            EscapeHtml(column.name) + "</th>";
  std::string body;
  for (const auto& row : rows) {
    std::string cells = "<th scope=\"row\">" + row[0] + "</th>";
    for (size_t i = 1; i < row.size(); ++i)
      cells +=
          "<td" + std::string(Class(columns[i].align)) + ">" + row[i] + "</td>";
    body += Wrap("tr", cells) + "\n";
  }
  return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
         EscapeHtml(caption) + "\"><table>" + Element("caption", caption) +
         Wrap("thead", Wrap("tr", head)) + "\n" + Wrap("tbody", body) +
         "</table></div>\n";
}

std::string FactorTable(const std::vector<Factor>& factors) {
  std::vector<std::vector<std::string>> rows;
  for (const Factor& factor : factors)
    rows.push_back(
        {EscapeHtml(factor.name),
         EscapeHtml(FormatNumber(factor.value, 3) + " " + factor.unit),
         EscapeHtml(factor.source), EscapeHtml(factor.date)});
  if (rows.empty()) return {};
  return Element("h2", "Factors") + "\n" +
         HtmlTable("Every factor that entered a number",
                   {{"factor"}, {"value"}, {"source"}, {"date"}}, rows);
}

std::string Folded(std::string_view summary, std::string_view html) {
  return Wrap("details", Element("summary", summary) + std::string(html)) +
         "\n";
}

std::string Figure(std::string_view svg, std::string_view caption,
                   std::string_view table) {
  return Wrap("figure", std::string(svg) + Element("figcaption", caption)) +
         "\n" + (table.empty() ? "" : Folded("The plot as a table", table));
}

std::string HtmlPage(std::string_view title, std::string_view main) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
         "<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" "
         "content=\"width=device-width,initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n" +
         Element("title", title) + "\n<style>" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n" + std::string(kMarks) +
         Wrap("main", "\n" + std::string(main)) + "\n</body>\n</html>\n";
}

}  // namespace modicum
