// SPDX-License-Identifier: Apache-2.0
#include "hsm/slots.h"

#include <optional>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/padded_text.h"

namespace estia::hsm {
namespace {

std::string unpadded(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

Slot read_slot(const Module& module, CK_SLOT_ID id) {
  CK_TOKEN_INFO info{};
  check(module->C_GetTokenInfo(id, &info), "C_GetTokenInfo");
  return {.id = id,
          .token = {.label = unpadded(info.label),
                    .serial = unpadded(info.serialNumber),
                    .manufacturer = unpadded(info.manufacturerID),
                    .model = unpadded(info.model),
                    .initialized = (info.flags & CKF_TOKEN_INITIALIZED) != 0,
                    .user_pin_set = (info.flags & CKF_USER_PIN_INITIALIZED) != 0,
                    .user_pin_count_low = (info.flags & CKF_USER_PIN_COUNT_LOW) != 0,
                    .user_pin_locked = (info.flags & CKF_USER_PIN_LOCKED) != 0,
                    .user_pin_final_try = (info.flags & CKF_USER_PIN_FINAL_TRY) != 0},
          .max_sessions = info.ulMaxSessionCount};
}

std::vector<CK_SLOT_ID> slot_ids(const Module& module, CK_BBOOL with_token) {
  constexpr CK_ULONG kMostSlots = 65'536;  // more than that is no count
  constexpr int kTries = 10;
  std::vector<CK_SLOT_ID> ids;
  CK_ULONG count = 0;
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  // A slot may appear between the two calls.
  for (int tried = 0; rv == CKR_BUFFER_TOO_SMALL && tried < kTries; ++tried) {
    check(module->C_GetSlotList(with_token, nullptr, &count), "C_GetSlotList");
    check(count > kMostSlots ? CKR_GENERAL_ERROR : CKR_OK, "C_GetSlotList: too many slots");
    ids.resize(count);
    rv = count == 0 ? CKR_OK : module->C_GetSlotList(with_token, ids.data(), &count);
  }
  check(rv, "C_GetSlotList");
  check(count > ids.size() ? CKR_GENERAL_ERROR : CKR_OK, "C_GetSlotList: more than there is room");
  ids.resize(count);
  return ids;
}

namespace {

struct Slots {
  std::vector<Slot> that_answer{};
  std::optional<TokenError> failure{};  ///< of one that has just gone
};

Slots read_slots(const Module& module) {
  Slots slots;
  for (const CK_SLOT_ID id : slot_ids(module, CK_TRUE)) {
    try {
      slots.that_answer.push_back(read_slot(module, id));
    } catch (const TokenError& error) {
      slots.failure = error;
    }
  }
  return slots;
}

}  // namespace

std::vector<Slot> slots_with_token(const Module& module) {
  Slots slots = read_slots(module);
  if (slots.that_answer.empty() && slots.failure) {
    throw TokenError(*slots.failure);
  }
  return std::move(slots.that_answer);
}

Slot find_slot(const Module& module, const std::string& label, const std::string& serial) {
  std::vector<Slot> found;
  Slots slots = read_slots(module);
  for (Slot& slot : slots.that_answer) {
    if (slot.token.initialized && (label.empty() || slot.token.label == unpadded(label)) &&
        (serial.empty() || slot.token.serial == unpadded(serial))) {
      found.push_back(std::move(slot));
    }
  }
  if (found.empty() && slots.failure) {
    throw TokenError(*slots.failure);  // it may be that one
  }
  if (found.empty()) {
    throw Error(ErrorCode::token, "token.not_found",
                "the module shows no initialised token" +
                    (label.empty() ? "" : " '" + label + "'") +
                    (serial.empty() ? "" : " with serial " + serial));
  }
  if (found.size() > 1) {
    throw Error(ErrorCode::config, "token.ambiguous",
                std::to_string(found.size()) + " tokens are called '" + label +
                    "': give the serial number too");
  }
  return std::move(found.front());
}

std::vector<TokenInfo> list_tokens(const std::filesystem::path& module_path,
                                   const std::string& init_args) {
  const ErrorQueueGuard queue;
  const auto module = Module::load(module_path, init_args);
  const Module::Use use(*module, module->generation());
  std::vector<TokenInfo> tokens;
  for (Slot& slot : slots_with_token(*module)) {
    tokens.push_back(std::move(slot.token));
  }
  return tokens;
}

}  // namespace estia::hsm
