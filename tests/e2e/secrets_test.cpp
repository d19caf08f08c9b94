// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

/// Files that hold a secret because that is what they are for.
bool is_meant_to_hold_secrets(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name == "pin" || name == "ra-account.password" || name.ends_with(".curl");
}

TEST(Secrets, NeitherPinNorPasswordIsInAnyOutputLogOrStore) {
  const Installation installation;
  const std::string password = installation.password();
  {
    EstiadProcess server(installation, {});
    const EstClient client(installation, server);
    Device device = client.make_device("/CN=device-1");
    client.enroll(device);
    EXPECT_EQ(client.post("simpleenroll", "garbage", client.as_ra()).status, 400);
    EXPECT_EQ(client
                  .post("simpleenroll", EstClient::csr_base64(device),
                        client.as_user(installation.user(), password + "x"))
                  .status,
              401);
    EXPECT_EQ(server.stop(), 0);
  }
  const std::vector<std::string> canaries{
      installation.pin(), password, base64_encode(as_bytes(installation.user() + ":" + password))};
  std::size_t scanned = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(installation.directory())) {
    if (!entry.is_regular_file() || is_meant_to_hold_secrets(entry.path())) {
      continue;
    }
    ++scanned;
    const std::string text = read_file(entry.path(), 256U << 20U);
    for (const std::string& canary : canaries) {
      EXPECT_EQ(text.find(canary), std::string::npos) << entry.path();
    }
  }
  EXPECT_GT(scanned, 10U);
}

}  // namespace
}  // namespace estia::e2e
