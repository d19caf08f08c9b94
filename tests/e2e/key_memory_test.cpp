// SPDX-License-Identifier: Apache-2.0
// What is left of delivered keys in the memory of estiad: nothing, once the answers are written.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/support/key_answer.h"
#include "tests/support/key_needles.h"

namespace estia::e2e {
namespace {

class KeyMemory : public testing::Test {
 protected:
  /// `count` keys of a kind, each for another client, one after the other; how often each needle of
  /// them is found afterwards.
  std::vector<std::size_t> left_after_delivery(const std::string& kind, int count) {
    installation.allow_serverkeygen();
    EstiadProcess server(installation);
    const EstClient client(installation, server);
    std::vector<test::Needle> traces;
    for (int i = 0; i < count; ++i) {
      const Device device = client.make_device("/CN=memory-" + std::to_string(i), "", kind);
      const Answer answer =
          client.post("serverkeygen", EstClient::csr_base64(device), client.as_ra());
      EXPECT_EQ(answer.status, 200) << answer.body;
      const std::vector<test::Needle> of_key =
          test::needles_of(parts_of(answer).at(0).content, kind.starts_with("RSA"));
      traces.insert(traces.end(), of_key.begin(), of_key.end());
    }
    std::vector<std::size_t> counts;
    for (const test::Needle& trace : traces) {
      counts.push_back(test::count_in(server.child().pid(), trace));
    }
    EXPECT_EQ(server.stop(), 0);
    return counts;
  }

  Installation installation;
};

TEST_F(KeyMemory, HoldsNoKeyOnceItIsDelivered) {
  const std::vector<std::size_t> counts = left_after_delivery("P-256", 20);
  EXPECT_EQ(std::ranges::count(counts, 0U), std::ssize(counts)) << testing::PrintToString(counts);
}

TEST_F(KeyMemory, HoldsNoRsaKeyOnceItIsDelivered) {
  const std::vector<std::size_t> counts = left_after_delivery("RSA-2048", 3);
  EXPECT_EQ(std::ranges::count(counts, 0U), std::ssize(counts)) << testing::PrintToString(counts);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they want to come first
/// The scan above can find keys: it does when the secure heap is not wiped.
TEST_F(KeyMemory, TheScanFindsKeysThatAreNotWiped) {
  installation.add_environment("LD_PRELOAD=" ESTIA_NO_WIPING);
  const std::vector<std::size_t> counts = left_after_delivery("P-256", 20);
  std::size_t scalars = 0;
  std::size_t texts = 0;
  for (std::size_t i = 0; i < counts.size(); i += 3) {  // as it is, reversed, in base64
    scalars += counts[i] > 0 ? 1U : 0U;
    texts += counts[i + 2] > 0 ? 1U : 0U;
  }
  EXPECT_GT(scalars, 0U);
  EXPECT_GT(texts, 0U);
}
#endif

}  // namespace
}  // namespace estia::e2e
