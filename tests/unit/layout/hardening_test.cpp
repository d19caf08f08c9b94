// SPDX-License-Identifier: Apache-2.0
// What the build promises about its own flags. Tests are compiled with the flags of the programs.
#include <gtest/gtest.h>

namespace estia::layout {
namespace {

TEST(Hardening, TheCompilerChecksCallsOfTheCLibrary) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer checks these calls, and _FORTIFY_SOURCE would hide them from it";
#elif !defined(__OPTIMIZE__)
  GTEST_SKIP() << "_FORTIFY_SOURCE needs an optimised build";
#elif defined(_FORTIFY_SOURCE)
  EXPECT_EQ(_FORTIFY_SOURCE, 3);
#else
  FAIL() << "_FORTIFY_SOURCE is not in effect: is it taken back by a later -U?";
#endif
}

TEST(Hardening, TheStandardLibraryChecksItsPreconditions) {
#ifndef _GLIBCXX_ASSERTIONS
  FAIL() << "_GLIBCXX_ASSERTIONS is not in effect";
#endif
}

}  // namespace
}  // namespace estia::layout
