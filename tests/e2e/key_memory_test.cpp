// SPDX-License-Identifier: Apache-2.0
// What is left of delivered keys in the memory of estiad: nothing, once the answers are written.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/support/key_answer.h"
#include "tests/support/memory_scan.h"

namespace estia::e2e {
namespace {

/// The scalar of a P-256 key in PKCS #8, and a piece of the base64 that it was sent as.
std::vector<test::Needle> traces_of(const Bytes& pkcs8) {
  constexpr std::size_t kScalar = 32;
  const Bytes mark{0x02, 0x01, 0x01, 0x04, kScalar};
  const auto at = std::search(pkcs8.begin(), pkcs8.end(), mark.begin(), mark.end());
  EXPECT_NE(at, pkcs8.end());
  const Bytes scalar(at + 5, at + 5 + kScalar);
  const std::string text = base64_encode(pkcs8);
  const std::size_t first = static_cast<std::size_t>(at + 5 - pkcs8.begin()) / 3 * 4 + 4;
  const std::string piece = text.substr(first, 36);
  return {test::Needle(scalar), test::Needle(as_bytes(piece))};
}

class KeyMemory : public testing::Test {
 protected:
  /// Keys for several clients, one after the other; what of them is left afterwards.
  std::vector<std::size_t> left_after_delivery() {
    installation.allow_serverkeygen();
    EstiadProcess server(installation);
    const EstClient client(installation, server);
    std::vector<test::Needle> traces;
    for (int i = 0; i < 20; ++i) {
      const Device device = client.make_device("/CN=memory-" + std::to_string(i));
      const Answer answer =
          client.post("serverkeygen", EstClient::csr_base64(device), client.as_ra());
      EXPECT_EQ(answer.status, 200) << answer.body;
      const std::vector<test::Needle> of_key = traces_of(parts_of(answer).at(0).content);
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
  const std::vector<std::size_t> counts = left_after_delivery();
  EXPECT_EQ(std::ranges::count(counts, 0U), std::ssize(counts))
      << "scalars, then pieces of base64: " << testing::PrintToString(counts);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they want to come first
/// The scan above can find keys: it does when the secure heap is not wiped.
TEST_F(KeyMemory, TheScanFindsKeysThatAreNotWiped) {
  installation.add_environment("LD_PRELOAD=" ESTIA_NO_WIPING);
  const std::vector<std::size_t> counts = left_after_delivery();
  std::size_t scalars = 0;
  std::size_t texts = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    (i % 2 == 0 ? scalars : texts) += counts[i] > 0 ? 1U : 0U;
  }
  EXPECT_GT(scalars, 0U);
  EXPECT_GT(texts, 0U);
}
#endif

}  // namespace
}  // namespace estia::e2e
