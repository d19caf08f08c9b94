// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "crypto/base/file.h"
#include "crypto/base/random.h"
#include "hsm/ckr.h"
#include "hsm/module.h"
#include "hsm/slots.h"
#include "hsm/token.h"
#include "tests/support/scratch_directory.h"

namespace estia::test {

/// A token of NSS softokn in a database of its own, with a random PIN. Goes with the object.
class SoftoknDatabase final {
 public:
  /// `module`: libsoftokn3.so, or what stands before it. Initialises it, for the whole process.
  explicit SoftoknDatabase(const std::filesystem::path& module) {
    config_.module = module;
    config_.init_args = "configdir='sql:" + scratch_.path().string() +
                        "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=";
    config_.label = "NSS Certificate DB";
    config_.pin.file = scratch_.path() / "pin";
    write_new_file(config_.pin.file, random_text(128) + "\n", FileMode::secret);
    set_pin();
  }

  [[nodiscard]] const hsm::TokenConfig& config() const noexcept { return config_; }

 private:
  /// A new database has no PIN, and its security officer none either.
  void set_pin() const {
    const auto module = hsm::Module::load(config_.module, config_.init_args);
    const hsm::Module& call = *module;
    const Secret pin = config_.pin.read();
    // It counts as not initialised until then.
    const std::vector<hsm::Slot> slots = hsm::slots_with_token(*module);
    const auto named = [&](const hsm::Slot& slot) { return slot.token.label == config_.label; };
    const auto found = std::ranges::find_if(slots, named);
    if (found == slots.end()) {
      throw std::runtime_error("the module shows no token '" + config_.label + "'");
    }
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_UTF8CHAR none = 0;
    hsm::check(call->C_OpenSession(found->id, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                   &session),
               "C_OpenSession");
    hsm::check(call->C_Login(session, CKU_SO, &none, 0), "C_Login");
    hsm::check(call->C_InitPIN(session, const_cast<CK_UTF8CHAR*>(pin.view().data()), pin.size()),
               "C_InitPIN");
    hsm::check(call->C_Logout(session), "C_Logout");
    hsm::check(call->C_CloseSession(session), "C_CloseSession");
  }

  const ScratchDirectory scratch_;
  hsm::TokenConfig config_{};
};

}  // namespace estia::test
