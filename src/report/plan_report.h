// SPDX-License-Identifier: Apache-2.0
// A plan of any verb as text for the terminal, JSON, CSV, Markdown or a page.
#pragma once

#include <string>
#include <string_view>

#include "record/plan.h"

namespace modicum {

// `format`: "table", "json", "csv", "md" or "html"; others are "table".
//
// JSON: one object with `verb`, `title`, `inputs`, `fits`, `verdict`, each
// figure by its key as {low, mid, high, unit, origin, source}, `parallelism`
// (of train and serve; `choices` of the others), `bars`, `tables`, `notes`,
// `sources` and the `command` that makes it again. CSV: one row per figure; a
// plan of tables only gives these.
std::string FormatPlan(const Plan& plan, std::string_view format);

std::string FormatPlanHtml(const Plan& plan);

// "184 k", "3.41 to 3.9": three digits and one unit for the whole range.
std::string FigureValue(const PlanFigure& figure);
std::string FigureRange(const PlanFigure& figure);  // "exact" of a point

}  // namespace modicum
