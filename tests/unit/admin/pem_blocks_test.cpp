// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/pem_blocks.h"

#include <gtest/gtest.h>

namespace estia::admin {
namespace {

const std::string kBlock = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

/// Found in review: decrypt-key refused what `openssl pkcs7 -print_certs` had written.
TEST(PemBlocks, TextBesideThemIsLeftOut) {
  EXPECT_EQ(certificates_in("subject=CN = a\n\nissuer=CN = b\n" + kBlock), kBlock);
  EXPECT_EQ(certificates_in(kBlock + "and more\n" + kBlock), kBlock + kBlock);
}

TEST(PemBlocks, WhatIsBrokenIsLeftToEstiad) {
  for (const std::string& text :
       {std::string(), std::string("no certificate"), kBlock.substr(0, 40)}) {
    EXPECT_EQ(certificates_in(text), text);
  }
}

}  // namespace
}  // namespace estia::admin
