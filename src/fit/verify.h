// SPDX-License-Identifier: Apache-2.0
// Whether a receipt holds: its form and hash, its signature, its files, and
// every number that follows from its evidence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "record/fit_result.h"
#include "record/receipt.h"

namespace modicum {

struct VerifyOptions {
  bool files = true;
  std::string folder = ".";  // the receipt's, under which its files lie
  // Public key (64 hexadecimal digits) that must have signed; "": any may.
  std::string trusted;
};

struct Verification {
  // Nothing else is known when it could not be read.
  bool readable = false;
  Hash sha256{};
  std::string signed_by;  // public key of a valid signature; "" = unsigned
  size_t numbers = 0;     // recomputed and compared
  size_t texts = 0;
  size_t files = 0;  // that lie beside the receipt as it says
  // "result.rows[3].quality.low: stated 0.97, recomputed 0.98"
  std::vector<std::string> faults;

  bool ok() const { return readable && faults.empty(); }
};

// Numbers may differ by 1e-9 of themselves, as other machines' logarithms do;
// texts not at all.
Verification VerifyReceipt(std::string_view text, const VerifyOptions& options);

// What a receipt's evidence must hold for anything to follow from it: scores
// that the metric can give, one for each item, a name for each trial.
// kInvalidInput names the place.
Status CheckEvidence(const FitEvidence& evidence);

// One figure of a receipt beside that of a fit of the same task run here.
struct Agreement {
  std::string figure;  // "linear: joules per 1,000"
  std::string stated;
  std::string here;
  std::string verdict;
  bool is_quality = false;
};
// "agrees exactly"; "agrees": the intervals overlap; "differs"; "another
// machine": a time or an energy that differs, from another machine; "another
// scope": energies of other parts, or one measured and one modelled; "missing
// here", "not tested here": the search took another way.
std::vector<Agreement> CompareWithRerun(const FitResult& stated,
                                        const FitResult& here);

}  // namespace modicum
