// SPDX-License-Identifier: Apache-2.0
#include "hsm/module_report.h"

#include "hsm/ckr.h"
#include "hsm/module.h"
#include "hsm/padded_text.h"
#include "hsm/slots.h"

namespace estia::hsm {
namespace {

std::string text_of(const CK_VERSION& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

LibraryReport read_library(const Module& module) {
  if (!module.has("C_GetInfo")) {
    return {};
  }
  CK_INFO info{};
  check(module->C_GetInfo(&info), "C_GetInfo");
  return {.manufacturer = unpadded(info.manufacturerID),
          .description = unpadded(info.libraryDescription),
          .version = text_of(info.libraryVersion),
          .cryptoki = text_of(info.cryptokiVersion)};
}

std::optional<std::uint64_t> count_of(CK_ULONG value) {
  return value == CK_UNAVAILABLE_INFORMATION ? std::nullopt : std::optional<std::uint64_t>(value);
}

TokenReport token_report(const CK_TOKEN_INFO& info) {
  const auto flag = [&](CK_FLAGS wanted) { return (info.flags & wanted) != 0; };
  TokenReport token{.label = unpadded(info.label),
                    .serial = unpadded(info.serialNumber),
                    .manufacturer = unpadded(info.manufacturerID),
                    .model = unpadded(info.model),
                    .initialised = flag(CKF_TOKEN_INITIALIZED),
                    .user_pin_set = flag(CKF_USER_PIN_INITIALIZED),
                    .login_required = flag(CKF_LOGIN_REQUIRED),
                    .write_protected = flag(CKF_WRITE_PROTECTED),
                    .own_pin_pad = flag(CKF_PROTECTED_AUTHENTICATION_PATH),
                    .user_pin = {.count_low = flag(CKF_USER_PIN_COUNT_LOW),
                                 .final_try = flag(CKF_USER_PIN_FINAL_TRY),
                                 .locked = flag(CKF_USER_PIN_LOCKED),
                                 .to_be_changed = flag(CKF_USER_PIN_TO_BE_CHANGED)},
                    .so_pin = {.count_low = flag(CKF_SO_PIN_COUNT_LOW),
                               .final_try = flag(CKF_SO_PIN_FINAL_TRY),
                               .locked = flag(CKF_SO_PIN_LOCKED),
                               .to_be_changed = flag(CKF_SO_PIN_TO_BE_CHANGED)},
                    .sessions = count_of(info.ulSessionCount)};
  if (info.ulMaxSessionCount != CK_EFFECTIVELY_INFINITE) {
    token.most_sessions = count_of(info.ulMaxSessionCount);
  }
  return token;
}

SlotReport read_slot_report(const Module& module, CK_SLOT_ID id) {
  CK_SLOT_INFO info{};
  if (module.has("C_GetSlotInfo")) {
    check(module->C_GetSlotInfo(id, &info), "C_GetSlotInfo");
  } else {
    info.flags = CKF_TOKEN_PRESENT;  // C_GetTokenInfo tells
  }
  SlotReport slot{.id = id,
                  .description = unpadded(info.slotDescription),
                  .manufacturer = unpadded(info.manufacturerID)};
  if ((info.flags & CKF_TOKEN_PRESENT) == 0) {
    return slot;
  }
  CK_TOKEN_INFO token{};
  const CK_RV rv = module->C_GetTokenInfo(id, &token);
  if (rv == CKR_OK) {
    slot.token = token_report(token);
  } else if (rv != CKR_TOKEN_NOT_PRESENT) {
    slot.trouble = "C_GetTokenInfo: " + ckr_name(rv);  // the others are shown nevertheless
  }
  return slot;
}

}  // namespace

ModuleReport report_on_module(const std::filesystem::path& path, const std::string& init_args) {
  const ErrorQueueGuard queue;
  const auto module = Module::load(path, init_args);
  const Module::Use use(*module, module->generation());
  ModuleReport report{.library = read_library(*module)};
  for (const CK_SLOT_ID id : slot_ids(*module, CK_FALSE)) {
    report.slots.push_back(read_slot_report(*module, id));
  }
  return report;
}

}  // namespace estia::hsm
