// SPDX-License-Identifier: Apache-2.0
#include "hsm/public_keys.h"

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/objects.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kMostKeys = 10'000;

class PublicSession final {
 public:
  PublicSession(const Module& module, CK_SLOT_ID slot) : module_(module) {
    check(module_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &handle_),
          "C_OpenSession");
  }
  ~PublicSession() { static_cast<void>(module_->C_CloseSession(handle_)); }
  PublicSession(const PublicSession&) = delete;
  PublicSession& operator=(const PublicSession&) = delete;
  PublicSession(PublicSession&&) = delete;
  PublicSession& operator=(PublicSession&&) = delete;
  [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }

 private:
  const Module& module_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
};

}  // namespace

std::vector<TokenPublicKey> public_keys_in(const std::filesystem::path& path,
                                           const std::string& init_args, unsigned long slot) {
  const ErrorQueueGuard queue;
  const auto module = Module::load(path, init_args);
  const Module::Use use(*module, module->generation());
  const PublicSession session(*module, slot);
  const Objects objects(*module, session.handle());
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).flag(CKA_TOKEN, true);
  std::vector<TokenPublicKey> keys;
  for (const CK_OBJECT_HANDLE object : objects.find(wanted, kMostKeys)) {
    try {
      keys.push_back(
          {.id = objects.bytes(object, CKA_ID).value_or(Bytes()),
           .label = std::string(as_text(objects.bytes(object, CKA_LABEL).value_or(Bytes()))),
           .key = objects.public_key(object)});
    } catch (const Error& error) {
      if (error.id() != "token.public_key_invalid") {
        throw;  // else no certificate of ours is for such a key
      }
    }
  }
  return keys;
}

}  // namespace estia::hsm
