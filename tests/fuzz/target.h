// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/error.h"

namespace estia::fuzz {

/// A property that does not hold ends the process, which is what a fuzzer reports.
inline void hold(bool property, const char* what) {
  if (!property) {
    std::fprintf(stderr, "property does not hold: %s\n", what);
    std::abort();
  }
}

/// Runs a parser on any bytes: it may only accept, or throw estia::Error.
template <class Work>
void only_errors_escape(Work work) {
  try {
    work();
  } catch (const Error& error) {
    hold(!error.id().empty(), "every refusal has an id");
  }
}

}  // namespace estia::fuzz

/// libFuzzer's entry point, one per target.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
