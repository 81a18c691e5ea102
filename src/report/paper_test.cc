// SPDX-License-Identifier: Apache-2.0
#include "report/paper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "report/sample_fit.h"
#include "report/sample_runs.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Inside of a test, Run is a function of the test.
using Runs = std::vector<Run>;

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

TEST(Paper, EscapesWhatLatexWouldRead) {
  EXPECT_EQ(EscapeLatex("a_b 5 % {x} \\ ~ ^ # & $ <i>"),
            "a\\_b 5 \\% \\{x\\} \\textbackslash{} \\textasciitilde{} "
            "\\textasciicircum{} \\# \\& \\$ \\textless{}i\\textgreater{}");
  EXPECT_EQ(EscapeLatex("12 µJ x/÷ 2 gCO2e\n"),
            "12 $\\mu$J x/$\\div$ 2 gCO\\textsubscript{2}e ");
}

TEST(Paper, TheWholeText) {
  const Runs runs = SampleRuns();
  EXPECT_EQ(FormatPaper({runs, {}, "project p_1", "0.1.0"}),
            R"(% Needs \usepackage{booktabs}; UTF-8.
Energy was metered with Modicum 0.1.0~\cite{modicum}. Every run that its ledger
holds of project p\_1 from 2026-01-31 to 2026-02-01 is counted, failed and
interrupted ones too: 4 runs (1 running, 1 ok, 1 failed, 1 interrupted; by kind:
1 fit, 3 run). Without a reading, for they were killed or could not be metered,
and so missing from the sums: 1. Together they took 2 min 55 s of wall time and
3 min 53 s of CPU time and used 700 J [310, 1,600] modelled, that is 190 mWh
[85, 440] (brackets are 90 \% intervals; origin: modelled; scope: package). At
the place of the runs (Poland), the operational carbon was 140
mgCO\textsubscript{2}e [62, 320] assumed, the water 700 $\mu$L assumed. The
hardware's embodied carbon is not known and not counted. No tariff was known.
The carbon-free share of the electricity is not known. Factors: grid intensity,
Poland, 2024 average: 640 gCO\textsubscript{2}e/kWh (Ember, 2024). Machines:
Intel Xeon, 2 logical CPUs, VM (KVM), no GPU. Not counted: DRAM, NOT COUNTED.

\begin{table}
  \centering
  \caption{All runs, failed and interrupted ones too. Brackets are 90\,\% intervals.}
  \label{tab:energy}
  \begin{tabular}{lrrrll}
    \toprule
    kind & runs & wall & CPU & energy & operational carbon \\
    \midrule
    fit & 1 & 100 s & 2 min 13 s & 400 J [180, 910] modelled & 80 mgCO\textsubscript{2}e [35, 180] assumed \\
    run & 3 & 75 s & 100 s & 300 J [130, 680] modelled & 60 mgCO\textsubscript{2}e [26, 140] assumed \\
    \midrule
    all & 4 & 2 min 55 s & 3 min 53 s & 700 J [310, 1,600] modelled & 140 mgCO\textsubscript{2}e [62, 320] assumed \\
    \bottomrule
  \end{tabular}
\end{table}

% BibTeX, for the .bib file
@software{modicum,
  title   = {Modicum: what {AI} costs, and the cheapest model that is good enough},
  author  = {{The Modicum authors}},
  version = {0.1.0},
  year    = {2026}
}
)");
}

TEST(Paper, TheModelsOfAReceiptAllOfThem) {
  const std::vector<Receipt> receipts{SampleReceipt()};
  const std::string text = FormatPaper({{}, receipts, "", "0.1.0"});
  EXPECT_THAT(text, HasSubstr("No run is in the ledger"));
  EXPECT_THAT(text, Not(HasSubstr("tab:energy")));
  for (const CandidateRow& row : receipts[0].result.rows)
    EXPECT_THAT(text, HasSubstr("    " + EscapeLatex(row.name) + " & "));
  EXPECT_THAT(text, HasSubstr("    linear & 98.5 \\% [97.9, 99.1] test & 43 mJ "
                              "[18, 100] modelled & CHOSEN \\\\\n"));
  EXPECT_THAT(text, HasSubstr("failed: over the budget of 1.0 GB"));
  EXPECT_THAT(text, HasSubstr("@misc{modicum-" +
                              ToHex(receipts[0].sha256).substr(0, 8)));
}

TEST(Paper, SaysWhatIsKnownAndWhatIsNot) {
  Runs runs = SampleRuns();
  std::string text = OneLine(FormatPaper({runs, {}, "", "0.1.0"}));
  EXPECT_THAT(text, HasSubstr("carbon-free share"));
  EXPECT_THAT(text, HasSubstr("No tariff was known"));
  runs[0].bill->factors.push_back(
      {"carbon-free share, Poland", 30, "%", "Ember", "2024"});
  runs[0].bill->embodied =
      Exactly(GramsCo2e(3), Origin::kAssumed, Scope::kHost);
  text = OneLine(FormatPaper({runs, {}, "", "0.1.0"}));
  EXPECT_THAT(text, Not(HasSubstr("carbon-free share of the electricity")));
  EXPECT_THAT(text, HasSubstr("known for 1 of 3 runs"));
}

TEST(Paper, RunsThatWereNotMeteredAreSaid) {
  Runs runs = SampleRuns();
  for (auto& run : runs) run.bill.reset();
  const std::string text = OneLine(FormatPaper({runs, {}, "", "0.1.0"}));
  EXPECT_THAT(text, HasSubstr("None of them was metered"));
}

}  // namespace
}  // namespace modicum
