// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "crypto/base/secure_bytes.h"
#include "hsm/module.h"
#include "hsm/objects.h"
#include "hsm/server_keys.h"
#include "hsm/slots.h"
#include "tests/support/fake_clock.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {

/// Keys for clients, from a token behind the shim module.
class ServerKeysTestBase : public ShimTest {
 protected:
  static constexpr std::size_t kSecureHeap = std::size_t{1} << 20U;

  [[nodiscard]] std::shared_ptr<Token> open_shim() const {
    open_secure_heap(kSecureHeap);
    return ShimTest::open_shim();
  }
  [[nodiscard]] std::unique_ptr<ServerKeys> server_keys(const std::shared_ptr<Token>& token,
                                                        const ServerKeysLimits& limits = {}) const {
    return std::make_unique<ServerKeys>(*token, limits, clock_);
  }

  /// Session objects of this process that the token holds, whichever session made them.
  [[nodiscard]] std::size_t session_objects() const {
    const auto module = Module::load(config().module, {});
    const CK_SLOT_ID slot = find_slot(*module, dir_.label, {}).id;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT_EQ((*module)->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_OK);
    Template wanted;
    wanted.flag(CKA_TOKEN, false);
    const std::size_t found = Objects(*module, session).find(wanted, 100).size();
    EXPECT_EQ((*module)->C_CloseSession(session), CKR_OK);
    return found;
  }

  /// The kind of the key that came, or its refusal.
  [[nodiscard]] static std::string delivered(ServerKeys& keys, const std::string& kind) {
    std::string made;
    const std::string refused = test::refusal([&] {
      const GeneratedKey key = keys.generate(spec(kind));
      made = key.public_key.spec() && !key.pkcs8.empty() ? key.public_key.spec()->name : "nothing";
    });
    return refused == "none" ? made : refused;
  }
  [[nodiscard]] static std::string refused(ServerKeys& keys, const std::string& kind) {
    return delivered(keys, kind);
  }

  test::FakeClock clock_;
};

}  // namespace estia::hsm
