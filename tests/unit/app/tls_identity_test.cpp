// SPDX-License-Identifier: Apache-2.0
#include "server/app/tls_identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "tests/support/certificates.h"
#include "tests/support/scratch_directory.h"

namespace estia::app {
namespace {

class TlsIdentityTest : public testing::Test {
 protected:
  TlsIdentityTest() {
    listener.key = scratch.path() / "server.key";
    listener.certificate = scratch.path() / "server.pem";
    replace_file(listener.key, server.key.to_pem().text(), FileMode::secret);
    replace_file(listener.certificate, server.ca.certificate().to_pem(), FileMode::readable);
  }
  std::string refusal(Instant at) {
    try {
      static_cast<void>(load_tls_identity(listener, no_token, at));
      return "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::config);
      EXPECT_NE(std::string(error.what()).find("server."), std::string::npos) << error.what();
      return error.id();
    }
  }

  const TokenKeySource no_token = [](const hsm::KeyUri&) -> crypto::PrivateKey {
    throw Error(ErrorCode::not_found, "token.key_not_found", "there is none");
  };
  test::ScratchDirectory scratch;
  test::SoftwareCa server = test::make_software_ca("server");
  ProcessConfig::EstListener listener;
  Instant now = std::chrono::system_clock::now();
};

TEST_F(TlsIdentityTest, AMatchingPairIsTaken) {
  const http::TlsIdentity identity = load_tls_identity(listener, no_token, now);
  EXPECT_EQ(identity.chain.size(), 1U);
  EXPECT_EQ(identity.key.public_key(), server.key.public_key());
}

TEST_F(TlsIdentityTest, AForeignKeyIsRefused) {
  const auto other = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  replace_file(listener.key, other.to_pem().text(), FileMode::secret);
  EXPECT_EQ(refusal(now), "tls.key_mismatch");
}

TEST_F(TlsIdentityTest, AnExpiredOrFutureCertificateIsRefused) {
  EXPECT_EQ(refusal(server.ca.certificate().not_after() + std::chrono::seconds(1)), "tls.expired");
  EXPECT_EQ(refusal(server.ca.certificate().not_before() - std::chrono::seconds(1)),
            "tls.not_yet_valid");
}

TEST_F(TlsIdentityTest, AChainInTheWrongOrderIsRefused) {
  const test::SoftwareCa other = test::make_software_ca("other");
  replace_file(listener.certificate,
               server.ca.certificate().to_pem() + other.ca.certificate().to_pem(),
               FileMode::readable);
  EXPECT_EQ(refusal(now), "tls.chain_order");
}

TEST_F(TlsIdentityTest, AKeyThatOthersCanReadIsRefused) {
  ASSERT_EQ(::chmod(listener.key.c_str(), 0640), 0);
  EXPECT_EQ(refusal(now), "file.secret_mode");
}

/// Found in review: a pipe in its place kept a reload waiting, and with it the stop.
TEST_F(TlsIdentityTest, WhatIsNoFileIsRefused) {
  std::filesystem::remove(listener.certificate);
  ASSERT_EQ(::mkfifo(listener.certificate.c_str(), 0600), 0);
  EXPECT_EQ(refusal(now), "tls.not_a_file");
}

TEST_F(TlsIdentityTest, WhatIsMissingOrNoPemNamesTheFile) {
  replace_file(listener.key, "not a key", FileMode::secret);
  EXPECT_EQ(refusal(now), "key.pem");
  std::filesystem::remove(listener.key);
  EXPECT_EQ(refusal(now), "file.unreadable");
  replace_file(listener.key, server.key.to_pem().text(), FileMode::secret);
  replace_file(listener.certificate, "", FileMode::readable);
  EXPECT_EQ(refusal(now), "certificate.pem");
}

}  // namespace
}  // namespace estia::app
