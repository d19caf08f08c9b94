// SPDX-License-Identifier: Apache-2.0
// Rules as the orders that make them.
#include <sstream>

#include "hsm/faults/order.h"
#include "hsm/faults/return_codes.h"
#include "hsm/faults/words.h"

namespace estia::hsm::faults {
namespace {

void write_pick(std::ostream& out, const Pick& pick) {
  if (pick.skip > 0) {
    out << " skip=" << pick.skip;
  }
  if (pick.count) {
    out << " count=" << *pick.count;
  } else {
    out << " count=for-ever";
  }
  if (pick.every > 1) {
    out << " every=" << pick.every;
  }
  if (pick.one_in > 1) {
    out << " one-in=" << pick.one_in;
  }
}

void write_key(std::ostream& out, const KeyName& key) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  if (!key.id.empty()) {
    out << " id=";
    for (const unsigned byte : key.id) {
      out << kDigits[byte >> 4U] << kDigits[byte & 15U];
    }
  }
  if (!key.label.empty()) {
    out << ' ' << quoted_word("label=" + key.label);
  }
}

}  // namespace

std::string function_name(FunctionIndex function) {
  return function == kEveryFunction ? "*" : kFunctionNames.at(function);
}

std::string text(const Rule& rule) {
  std::ostringstream out;
  const std::string function = function_name(rule.function);
  const char* const moment = rule.when == When::after ? " when=after" : "";
  switch (rule.kind) {
    case Kind::fail:
      out << "fail " << function << ' ' << code_name(rule.code) << moment;
      break;
    case Kind::delay:
      out << "delay " << function << ' ' << rule.delay.count() << moment;
      break;
    case Kind::hang:
      out << "hang " << function << moment;
      break;
    case Kind::corrupt_signature:
      out << "corrupt-signature";
      break;
    case Kind::sign_with_other:
      out << "sign-with-other";
      write_key(out, rule.other);
      break;
  }
  write_pick(out, rule.pick);
  return out.str();
}

}  // namespace estia::hsm::faults
