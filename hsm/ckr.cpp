// SPDX-License-Identifier: Apache-2.0
#include "hsm/ckr.h"

#include <fmt/format.h>

#include <map>

#include "hsm/pkcs11.h"

namespace estia::hsm {
namespace {

struct Meaning {
  const char* name;
  Fault fault;
};

#define ESTIA_CKR(code, fault) {code, {#code, Fault::fault}}
const std::map<ReturnValue, Meaning>& meanings() {
  static const std::map<ReturnValue, Meaning> table = {
      ESTIA_CKR(CKR_SESSION_HANDLE_INVALID, session_lost),
      ESTIA_CKR(CKR_SESSION_CLOSED, session_lost),
      ESTIA_CKR(CKR_OPERATION_ACTIVE, session_lost),
      ESTIA_CKR(CKR_OPERATION_NOT_INITIALIZED, session_lost),
      ESTIA_CKR(CKR_USER_NOT_LOGGED_IN, login_lost),
      ESTIA_CKR(CKR_OBJECT_HANDLE_INVALID, handle_stale),
      ESTIA_CKR(CKR_KEY_HANDLE_INVALID, handle_stale),
      ESTIA_CKR(CKR_DEVICE_REMOVED, gone),
      ESTIA_CKR(CKR_TOKEN_NOT_PRESENT, gone),
      ESTIA_CKR(CKR_TOKEN_NOT_RECOGNIZED, gone),
      ESTIA_CKR(CKR_SLOT_ID_INVALID, gone),
      ESTIA_CKR(CKR_CRYPTOKI_NOT_INITIALIZED, gone),
      ESTIA_CKR(CKR_DEVICE_MEMORY, exhausted),
      ESTIA_CKR(CKR_HOST_MEMORY, exhausted),
      ESTIA_CKR(CKR_SESSION_COUNT, exhausted),
      ESTIA_CKR(CKR_PIN_INCORRECT, pin),
      ESTIA_CKR(CKR_PIN_INVALID, pin),
      ESTIA_CKR(CKR_PIN_LEN_RANGE, pin),
      ESTIA_CKR(CKR_PIN_EXPIRED, pin),
      ESTIA_CKR(CKR_PIN_LOCKED, pin),
      ESTIA_CKR(CKR_USER_PIN_NOT_INITIALIZED, pin),
      ESTIA_CKR(CKR_MECHANISM_INVALID, not_permitted),
      ESTIA_CKR(CKR_MECHANISM_PARAM_INVALID, not_permitted),
      ESTIA_CKR(CKR_KEY_TYPE_INCONSISTENT, not_permitted),
      ESTIA_CKR(CKR_KEY_FUNCTION_NOT_PERMITTED, not_permitted),
      ESTIA_CKR(CKR_KEY_SIZE_RANGE, not_permitted),
      ESTIA_CKR(CKR_ATTRIBUTE_VALUE_INVALID, not_permitted),
      ESTIA_CKR(CKR_ATTRIBUTE_READ_ONLY, not_permitted),
      ESTIA_CKR(CKR_ATTRIBUTE_TYPE_INVALID, not_permitted),
      ESTIA_CKR(CKR_TEMPLATE_INCOMPLETE, not_permitted),
      ESTIA_CKR(CKR_TEMPLATE_INCONSISTENT, not_permitted),
      ESTIA_CKR(CKR_TOKEN_WRITE_PROTECTED, not_permitted),
      ESTIA_CKR(CKR_SESSION_READ_ONLY, not_permitted),
      ESTIA_CKR(CKR_FUNCTION_NOT_SUPPORTED, not_permitted),
      ESTIA_CKR(CKR_DEVICE_ERROR, unknown),
      ESTIA_CKR(CKR_GENERAL_ERROR, unknown),
      ESTIA_CKR(CKR_FUNCTION_FAILED, unknown),
      ESTIA_CKR(CKR_FUNCTION_CANCELED, unknown),
      ESTIA_CKR(CKR_BUFFER_TOO_SMALL, unknown),
      ESTIA_CKR(CKR_DATA_INVALID, unknown),
      ESTIA_CKR(CKR_DATA_LEN_RANGE, unknown),
      ESTIA_CKR(CKR_ARGUMENTS_BAD, unknown),
      ESTIA_CKR(CKR_CANT_LOCK, unknown),
      ESTIA_CKR(CKR_CRYPTOKI_ALREADY_INITIALIZED, unknown),
      ESTIA_CKR(CKR_USER_ALREADY_LOGGED_IN, unknown),
      ESTIA_CKR(CKR_RANDOM_NO_RNG, unknown),
  };
  return table;
}
#undef ESTIA_CKR

}  // namespace

std::string ckr_name(ReturnValue rv) {
  if (rv == CKR_OK) {
    return "CKR_OK";
  }
  const auto found = meanings().find(rv);
  return found == meanings().end() ? fmt::format("CKR 0x{:08x}", rv) : found->second.name;
}

Fault classify(ReturnValue rv) noexcept {
  const auto found = meanings().find(rv);
  return found == meanings().end() ? Fault::unknown : found->second.fault;
}

Error token_error(ReturnValue rv, std::string_view function) {
  const auto id = [rv]() -> const char* {
    switch (classify(rv)) {
      case Fault::session_lost:
        return "token.session_lost";
      case Fault::login_lost:
        return "token.login_lost";
      case Fault::handle_stale:
        return "token.handle_stale";
      case Fault::gone:
        return "token.gone";
      case Fault::exhausted:
        return "token.exhausted";
      case Fault::pin:
        return rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED ? "token.pin_locked" : "token.pin_incorrect";
      case Fault::not_permitted:
        return "token.not_permitted";
      case Fault::unknown:
        return "token.failed";
    }
    return "token.failed";
  };
  return Error(ErrorCode::token, id(), "the HSM is not available; retry later", fmt::format("{}: {}", function, ckr_name(rv)));
}

void check(ReturnValue rv, std::string_view function) {
  if (rv != CKR_OK) {
    throw token_error(rv, function);
  }
}

}  // namespace estia::hsm
