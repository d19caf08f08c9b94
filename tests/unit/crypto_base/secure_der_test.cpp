// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secure_der.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>

namespace estia::der {
namespace {

SecureBytes secret_of(std::size_t size) {
  open_secure_heap(1U << 20U);
  SecureBytes bytes(size);
  std::ranges::fill(bytes.span(), std::uint8_t{0xAB});
  return bytes;
}

Bytes plain(const SecureBytes& bytes) {
  return {bytes.view().begin(), bytes.view().end()};
}

TEST(SecureDer, WritesWhatTheOrdinaryWriterWrites) {
  // Lengths of one, two and three octets.
  for (const std::size_t size : {0U, 1U, 100U, 126U, 127U, 128U, 253U, 256U, 65'530U, 65'536U}) {
    const SecureBytes secret = secret_of(size);
    const SecureBytes written =
        Layout::sequence({small_integer(1),
                          Layout::element(0xA0, {Layout::element(0x04, {Layout::secret(secret)})}),
                          null()})
            .written();
    EXPECT_EQ(plain(written),
              sequence({small_integer(1), tlv(0xA0, octet_string(secret.view())), null()}))
        << size;
    EXPECT_NO_THROW(check_structure(written.view()));
  }
}

TEST(SecureDer, IsOneAllocationInTheSecureHeap) {
  const SecureBytes secret = secret_of(1000);
  const std::size_t before = ::CRYPTO_secure_used();
  const Layout layout = Layout::sequence({Layout::element(0x04, {Layout::secret(secret)})});
  EXPECT_EQ(::CRYPTO_secure_used(), before);
  SecureBytes written = layout.written();
  EXPECT_EQ(::CRYPTO_secure_allocated(written.data()), 1);
  EXPECT_EQ(written.size(), layout.size());
  EXPECT_EQ(layout.size(), 1008U);
}

TEST(SecureDer, NothingIsAnEmptyElement) {
  open_secure_heap(1U << 20U);
  EXPECT_EQ(to_hex(Layout::sequence({}).written().view()), "3000");
}

}  // namespace
}  // namespace estia::der
