// SPDX-License-Identifier: Apache-2.0
#include "hsm/sealing_key.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "hsm/ckr.h"
#include "hsm/objects.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

// What seal() makes: kFormat, CKA_ID of the key, IV, ciphertext, tag.
constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kIdSize = 16;
constexpr std::size_t kIvSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHead = 1 + kIdSize + kIvSize;
constexpr CK_ULONG kKeySize = 32;

[[noreturn]] void unsupported(const std::string& why) {
  throw Error(ErrorCode::conflict, "sealing.unsupported", "this token cannot keep secrets sealed",
              why);
}

[[noreturn]] void broken(const std::string& why) {
  throw Error(ErrorCode::store, "sealing.broken", "the store is not available, try again later",
              "a sealed secret that does not open: " + why);
}

Template name_of(const Bytes& id) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).flag(CKA_TOKEN, true);
  wanted.text(CKA_LABEL, SealingKey::kLabel);
  if (!id.empty()) {
    wanted.bytes(CKA_ID, id);
  }
  return wanted;
}

/// Every usage is stated: tokens' defaults are generous.
Template key_template(const Bytes& id) {
  Template wanted = name_of(id);
  wanted.number(CKA_KEY_TYPE, CKK_AES).number(CKA_VALUE_LEN, kKeySize);
  wanted.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  wanted.flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true).flag(CKA_WRAP, false);
  wanted.flag(CKA_UNWRAP, false).flag(CKA_SIGN, false).flag(CKA_VERIFY, false);
  wanted.flag(CKA_DERIVE, false);
  return wanted;
}

/// Also of a key that was there before: what anybody could have read seals nothing. What a token
/// does not tell counts as the worse answer; CKA_LOCAL, which NSS does not tell, is not needed:
/// what was imported is neither always sensitive nor never extractable (PKCS #11 4.9, 4.10).
void check_attributes(const Objects& objects, CK_OBJECT_HANDLE key) {
  std::string faults;
  const auto demand = [&](bool holds, const char* what) {
    faults += holds ? "" : std::string(faults.empty() ? "" : ", ") + what;
  };
  demand(objects.number(key, CKA_KEY_TYPE) == CKK_AES &&
             objects.number(key, CKA_VALUE_LEN) == kKeySize,
         "not AES-256");
  demand(objects.flag(key, CKA_SENSITIVE).value_or(false), "not sensitive");
  demand(objects.flag(key, CKA_ALWAYS_SENSITIVE).value_or(false), "not always sensitive");
  demand(!objects.flag(key, CKA_EXTRACTABLE).value_or(true), "extractable");
  demand(objects.flag(key, CKA_NEVER_EXTRACTABLE).value_or(false), "was extractable");
  if (!faults.empty()) {
    unsupported(std::string(SealingKey::kLabel) + ": " + faults);
  }
}

Bytes make_key(const Module& module, CK_SESSION_HANDLE session) {
  Bytes id(kIdSize);
  random_fill(id);
  Template wanted = key_template(id);
  CK_MECHANISM generation{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = module->C_GenerateKey(session, &generation, wanted.data(), wanted.size(), &key);
  if (classify(rv) == Fault::configuration) {
    unsupported("C_GenerateKey: " + ckr_name(rv));
  }
  check(rv, "C_GenerateKey");
  return id;
}

Bytes id_of(ByteView sealed) {
  const ByteView id = sealed.subspan(1, kIdSize);
  return {id.begin(), id.end()};
}

/// A module may put an IV of its own choice into `iv`.
CK_GCM_PARAMS gcm_parameters(std::span<std::uint8_t> iv, ByteView bound_to) {
  return {iv.data(),       iv.size(),   iv.size() * 8, const_cast<CK_BYTE*>(bound_to.data()),
          bound_to.size(), kTagSize * 8};
}

struct Key {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;  ///< in the login session, or the object
  std::uint64_t epoch = 0;
  std::weak_ptr<Attachment> attachment{};
  Bytes id{};
};

}  // namespace

class SealingKey::Parts final {
 public:
  explicit Parts(std::shared_ptr<TokenCore> core) : core_(std::move(core)) {}
  ~Parts() {
    const ErrorQueueGuard queue;
    for (const auto& [id, key] : found_) {
      const std::shared_ptr<Attachment> attached = key.attachment.lock();
      if (attached && key.copy != key.object) {
        attached->login().destroy(key.copy);
      }
    }
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  Parts(Parts&&) = delete;
  Parts& operator=(Parts&&) = delete;

  /// Of that CKA_ID; the only one there is for an empty one. nullopt: there is none.
  [[nodiscard]] std::optional<Key> find(const std::shared_ptr<Attachment>& attached,
                                        const Bytes& id);
  [[nodiscard]] Key find_or_make(const std::shared_ptr<Attachment>& attached);
  [[nodiscard]] TokenCore& core() noexcept { return *core_; }

 private:
  [[nodiscard]] Key kept(Attachment& attached, Key key);

  const std::shared_ptr<TokenCore> core_;
  std::shared_mutex making_;  ///< searches share it: SoftHSM fails them while a key is made
  std::mutex mutex_;          ///< guards found_; no token call is made under it
  std::map<Bytes, Key> found_;
};

std::optional<Key> SealingKey::Parts::find(const std::shared_ptr<Attachment>& attached,
                                           const Bytes& id) {
  const std::uint64_t epoch = attached->epoch();
  if (!id.empty()) {
    const std::lock_guard lock(mutex_);
    const auto known = found_.find(id);
    if (known != found_.end() && known->second.epoch == epoch) {
      return known->second;
    }
  }
  Key key{.epoch = epoch, .attachment = attached};
  const std::shared_lock searching(making_);
  with_session(*attached, SessionKind::read_only, [&](CK_SESSION_HANDLE session) {
    const Objects objects(attached->module(), session);
    Template wanted = name_of(id);
    const auto found = objects.find_few(wanted);
    if (found.size() > 1) {
      throw Error(ErrorCode::conflict, "sealing.key_ambiguous",
                  std::string("the token has more than one key called ") + kLabel);
    }
    if (!found.empty()) {
      key.object = found.front();
      key.id = objects.bytes(key.object, CKA_ID).value_or(Bytes());
      check_attributes(objects, key.object);
    }
  });
  if (key.object == CK_INVALID_HANDLE) {
    if (!attached->login().logged_in()) {  // it is not shown then
      throw token_error(CKR_USER_NOT_LOGGED_IN, "the sealing key");
    }
    return std::nullopt;
  }
  if (key.id.size() != kIdSize) {
    unsupported(std::string(kLabel) + " has no CKA_ID of 16 bytes");
  }
  key.copy = attached->login().copy_or_same(key.object);
  return kept(*attached, std::move(key));
}

Key SealingKey::Parts::kept(Attachment& attached, Key key) {
  std::unique_lock lock(mutex_);
  Key& known = found_.try_emplace(key.id, key).first->second;
  if (known.epoch < key.epoch) {
    known = key;
  }
  const Key kept = known;
  lock.unlock();
  if (kept.copy != key.copy && key.copy != key.object) {
    attached.login().destroy(key.copy);  // another thread was faster
  }
  return kept;
}

Key SealingKey::Parts::find_or_make(const std::shared_ptr<Attachment>& attached) {
  if (auto key = find(attached, {})) {
    return *key;
  }
  const Bytes id = [&] {
    const std::unique_lock making(making_);
    return with_session(*attached, SessionKind::read_write, [&](CK_SESSION_HANDLE session) {
      return make_key(attached->module(), session);
    });
  }();
  auto made = find(attached, id);
  if (!made) {
    throw token_unavailable("token.key_not_found",
                            "the sealing key that was just made is not there");
  }
  return *made;
}

namespace {

Bytes seal_with(Attachment& attached, const Key& key, ByteView secret, ByteView bound_to) {
  Bytes sealed(kHead + secret.size() + kTagSize);
  sealed.front() = kFormat;
  std::ranges::copy(key.id, sealed.begin() + 1);
  const std::span<std::uint8_t> iv(sealed.data() + 1 + kIdSize, kIvSize);
  random_fill(iv);
  CK_GCM_PARAMS parameters = gcm_parameters(iv, bound_to);
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
  CK_ULONG size = sealed.size() - kHead;
  with_session(attached, SessionKind::read_only, [&](CK_SESSION_HANDLE session) {
    const CK_RV rv = attached.module()->C_EncryptInit(session, &mechanism, key.copy);
    if (classify(rv) == Fault::configuration) {
      unsupported("C_EncryptInit with CKM_AES_GCM: " + ckr_name(rv));
    }
    check(rv, "C_EncryptInit");
    check(attached.module()->C_Encrypt(session, const_cast<CK_BYTE*>(secret.data()), secret.size(),
                                       sealed.data() + kHead, &size),
          "C_Encrypt");
  });
  if (size != sealed.size() - kHead) {
    unsupported("AES-GCM of " + std::to_string(secret.size()) + " bytes gives " +
                std::to_string(size));
  }
  return sealed;
}

SecureBytes open_with(Attachment& attached, const std::optional<Key>& key, ByteView sealed,
                      ByteView bound_to) {
  if (!key) {
    throw token_unavailable("sealing.key_missing", std::string("the token has no ") +
                                                       SealingKey::kLabel + " with CKA_ID " +
                                                       to_hex(id_of(sealed)));
  }
  std::array<std::uint8_t, kIvSize> iv{};
  std::ranges::copy(sealed.subspan(1 + kIdSize, kIvSize), iv.begin());
  CK_GCM_PARAMS parameters = gcm_parameters(iv, bound_to);
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
  const ByteView text = sealed.subspan(kHead);
  SecureBytes secret(text.size());
  CK_ULONG size = secret.size();
  with_session(attached, SessionKind::read_only, [&](CK_SESSION_HANDLE session) {
    check(attached.module()->C_DecryptInit(session, &mechanism, key->copy), "C_DecryptInit");
    const CK_RV rv = attached.module()->C_Decrypt(session, const_cast<CK_BYTE*>(text.data()),
                                                  text.size(), secret.data(), &size);
    // Modules do not agree on what a wrong tag is called.
    if (rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
        rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DATA_INVALID) {
      broken("C_Decrypt: " + ckr_name(rv));
    }
    check(rv, "C_Decrypt");
  });
  if (size != text.size() - kTagSize) {
    broken("C_Decrypt gives " + std::to_string(size) + " bytes");
  }
  secret.shrink(size);
  return secret;
}

}  // namespace

SealingKey::SealingKey(const Token& token) : parts_(std::make_unique<Parts>(token.core_)) {}
SealingKey::~SealingKey() = default;

Bytes SealingKey::seal(ByteView secret, ByteView bound_to) {
  if (secret.empty() || secret.size() > kMostSealed) {
    throw Error(ErrorCode::config, "sealing.size",
                "a secret to keep has 1 to " + std::to_string(kMostSealed) + " bytes");
  }
  return with_recovery(parts_->core(), [&](const std::shared_ptr<Attachment>& attached) {
    return seal_with(*attached, parts_->find_or_make(attached), secret, bound_to);
  });
}

SecureBytes SealingKey::open(ByteView sealed, ByteView bound_to) {
  if (sealed.size() <= kHead + kTagSize || sealed.front() != kFormat) {
    broken("it has another form");
  }
  return with_recovery(parts_->core(), [&](const std::shared_ptr<Attachment>& attached) {
    return open_with(*attached, parts_->find(attached, id_of(sealed)), sealed, bound_to);
  });
}

}  // namespace estia::hsm
