// SPDX-License-Identifier: Apache-2.0
#include "server/est/ca_certificates.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/cms/certs_only.h"
#include "tests/unit/est/est_fixture.h"

namespace estia::est {
namespace {

class CaCertificatesTest : public testing::Test {
 protected:
  http::Response answer(const http::Request& request, std::size_t chain_length = 1) {
    authority.ca.chain.resize(1, authority.ca.certificate());
    authority.ca.chain.resize(chain_length, authority.ca.certificate());
    std::shared_ptr<const ca::Snapshot> snapshot = make_snapshot(authority);
    const ca::Alias* alias = snapshot->find_alias("est");
    return certificates.answer({snapshot, alias}, request);
  }
  static http::Request with_user_agent() {
    http::Request request;
    request.headers.add("User-Agent", "libest 3.2.0p");
    return request;
  }
  static std::size_t longest_line(const std::string& text) {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      longest = std::max(longest, end - at);
      at = end + 1;
    }
    return longest;
  }

  test::SoftwareCa authority = test::make_software_ca();
  CaCertificates certificates;
};

TEST_F(CaCertificatesTest, HoldsTheWholeChainAsCertsOnly_EST_4_1_3_b) {
  const http::Response response = answer(with_user_agent());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(base64_decode(response.body), crypto::certs_only(authority.ca.chain));
  EXPECT_EQ(response.headers.find("Content-Type"), "application/pkcs7-mime");
  EXPECT_EQ(response.headers.find("Content-Transfer-Encoding"), "base64");
  EXPECT_FALSE(response.close);
}

TEST_F(CaCertificatesTest, AShortAnswerIsOneLineForEverybody_Interop) {
  for (const http::Request& request : {http::Request{}, with_user_agent()}) {
    const http::Response response = answer(request);
    ASSERT_LE(response.body.size(), 1001U);
    EXPECT_EQ(std::count(response.body.begin(), response.body.end(), '\n'), 1);
    EXPECT_TRUE(response.body.ends_with('\n'));
  }
}

TEST_F(CaCertificatesTest, ALongAnswerIsWrappedUnlessTheClientNamesNeitherAgentNorAccept_Interop) {
  EXPECT_EQ(longest_line(answer(with_user_agent(), 4).body), 64U);
  http::Request accept_only;
  accept_only.headers.add("accept", "*/*");
  EXPECT_EQ(longest_line(answer(accept_only, 4).body), 64U);
  const http::Response strongswan = answer(http::Request{}, 4);
  EXPECT_GT(strongswan.body.size(), 1001U);
  EXPECT_EQ(longest_line(strongswan.body), strongswan.body.size() - 1);
  EXPECT_EQ(base64_decode(strongswan.body), base64_decode(answer(with_user_agent(), 4).body));
}

TEST_F(CaCertificatesTest, ANewSnapshotGivesNewAnswers) {
  const std::string before = answer(with_user_agent()).body;
  authority = test::make_software_ca();
  EXPECT_NE(answer(with_user_agent()).body, before);
}

/// Found in review: with it what a configuration used, keys in tokens too, was held after its end.
TEST_F(CaCertificatesTest, ASnapshotIsNotKeptForItsAnswers) {
  std::shared_ptr<const ca::Snapshot> snapshot = make_snapshot(authority);
  static_cast<void>(certificates.answer({snapshot, snapshot->find_alias("est")}, {}));
  EXPECT_EQ(snapshot.use_count(), 1);
}

}  // namespace
}  // namespace estia::est
