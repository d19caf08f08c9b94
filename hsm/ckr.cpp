// SPDX-License-Identifier: Apache-2.0
#include "hsm/ckr.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace estia::hsm {
namespace {

struct Row {
  CK_RV rv;
  std::string_view name;
  Fault fault;
};

#define ESTIA_CKR(code, fault) \
  Row {                        \
    code, #code, Fault::fault  \
  }
// Every code of the header, so that a new one there is noticed by the test that reads it.
constexpr auto kTable = std::to_array<Row>({
    ESTIA_CKR(CKR_CANCEL, unknown),
    ESTIA_CKR(CKR_HOST_MEMORY, exhausted),
    ESTIA_CKR(CKR_SLOT_ID_INVALID, gone),
    ESTIA_CKR(CKR_GENERAL_ERROR, unknown),
    ESTIA_CKR(CKR_FUNCTION_FAILED, unknown),
    ESTIA_CKR(CKR_ARGUMENTS_BAD, unknown),
    ESTIA_CKR(CKR_NO_EVENT, unknown),
    ESTIA_CKR(CKR_NEED_TO_CREATE_THREADS, configuration),
    ESTIA_CKR(CKR_CANT_LOCK, configuration),
    ESTIA_CKR(CKR_ATTRIBUTE_READ_ONLY, configuration),
    ESTIA_CKR(CKR_ATTRIBUTE_SENSITIVE, configuration),
    ESTIA_CKR(CKR_ATTRIBUTE_TYPE_INVALID, configuration),
    ESTIA_CKR(CKR_ATTRIBUTE_VALUE_INVALID, configuration),
    ESTIA_CKR(CKR_ACTION_PROHIBITED, configuration),
    ESTIA_CKR(CKR_DATA_INVALID, configuration),
    ESTIA_CKR(CKR_DATA_LEN_RANGE, configuration),
    ESTIA_CKR(CKR_DEVICE_ERROR, unknown),
    ESTIA_CKR(CKR_DEVICE_MEMORY, exhausted),
    ESTIA_CKR(CKR_DEVICE_REMOVED, gone),
    ESTIA_CKR(CKR_ENCRYPTED_DATA_INVALID, unknown),
    ESTIA_CKR(CKR_ENCRYPTED_DATA_LEN_RANGE, unknown),
    ESTIA_CKR(CKR_FUNCTION_CANCELED, unknown),
    ESTIA_CKR(CKR_FUNCTION_NOT_PARALLEL, configuration),
    ESTIA_CKR(CKR_FUNCTION_NOT_SUPPORTED, configuration),
    ESTIA_CKR(CKR_KEY_HANDLE_INVALID, stale_handle),
    ESTIA_CKR(CKR_KEY_SIZE_RANGE, configuration),
    ESTIA_CKR(CKR_KEY_TYPE_INCONSISTENT, configuration),
    ESTIA_CKR(CKR_KEY_NOT_NEEDED, configuration),
    ESTIA_CKR(CKR_KEY_CHANGED, stale_handle),
    ESTIA_CKR(CKR_KEY_NEEDED, configuration),
    ESTIA_CKR(CKR_KEY_INDIGESTIBLE, configuration),
    ESTIA_CKR(CKR_KEY_FUNCTION_NOT_PERMITTED, configuration),
    ESTIA_CKR(CKR_KEY_NOT_WRAPPABLE, configuration),
    ESTIA_CKR(CKR_KEY_UNEXTRACTABLE, configuration),
    ESTIA_CKR(CKR_MECHANISM_INVALID, configuration),
    ESTIA_CKR(CKR_MECHANISM_PARAM_INVALID, configuration),
    ESTIA_CKR(CKR_OBJECT_HANDLE_INVALID, stale_handle),
    ESTIA_CKR(CKR_OPERATION_ACTIVE, session_lost),
    ESTIA_CKR(CKR_OPERATION_NOT_INITIALIZED, session_lost),
    ESTIA_CKR(CKR_PIN_INCORRECT, pin),
    ESTIA_CKR(CKR_PIN_INVALID, pin),
    ESTIA_CKR(CKR_PIN_LEN_RANGE, pin),
    ESTIA_CKR(CKR_PIN_EXPIRED, pin),
    ESTIA_CKR(CKR_PIN_LOCKED, pin),
    ESTIA_CKR(CKR_SESSION_CLOSED, session_lost),
    ESTIA_CKR(CKR_SESSION_COUNT, exhausted),
    ESTIA_CKR(CKR_SESSION_HANDLE_INVALID, session_lost),
    ESTIA_CKR(CKR_SESSION_PARALLEL_NOT_SUPPORTED, configuration),
    ESTIA_CKR(CKR_SESSION_READ_ONLY, configuration),
    ESTIA_CKR(CKR_SESSION_EXISTS, unknown),
    ESTIA_CKR(CKR_SESSION_READ_ONLY_EXISTS, unknown),
    ESTIA_CKR(CKR_SESSION_READ_WRITE_SO_EXISTS, unknown),
    ESTIA_CKR(CKR_SIGNATURE_INVALID, unknown),
    ESTIA_CKR(CKR_SIGNATURE_LEN_RANGE, unknown),
    ESTIA_CKR(CKR_TEMPLATE_INCOMPLETE, configuration),
    ESTIA_CKR(CKR_TEMPLATE_INCONSISTENT, configuration),
    ESTIA_CKR(CKR_TOKEN_NOT_PRESENT, gone),
    ESTIA_CKR(CKR_TOKEN_NOT_RECOGNIZED, gone),
    ESTIA_CKR(CKR_TOKEN_WRITE_PROTECTED, configuration),
    ESTIA_CKR(CKR_UNWRAPPING_KEY_HANDLE_INVALID, stale_handle),
    ESTIA_CKR(CKR_UNWRAPPING_KEY_SIZE_RANGE, unknown),
    ESTIA_CKR(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, unknown),
    ESTIA_CKR(CKR_USER_ALREADY_LOGGED_IN, unknown),
    ESTIA_CKR(CKR_USER_NOT_LOGGED_IN, login_lost),
    ESTIA_CKR(CKR_USER_PIN_NOT_INITIALIZED, gone),
    ESTIA_CKR(CKR_USER_TYPE_INVALID, configuration),
    ESTIA_CKR(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, unknown),
    ESTIA_CKR(CKR_USER_TOO_MANY_TYPES, configuration),
    ESTIA_CKR(CKR_WRAPPED_KEY_INVALID, unknown),
    ESTIA_CKR(CKR_WRAPPED_KEY_LEN_RANGE, unknown),
    ESTIA_CKR(CKR_WRAPPING_KEY_HANDLE_INVALID, stale_handle),
    ESTIA_CKR(CKR_WRAPPING_KEY_SIZE_RANGE, unknown),
    ESTIA_CKR(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, unknown),
    ESTIA_CKR(CKR_RANDOM_SEED_NOT_SUPPORTED, configuration),
    ESTIA_CKR(CKR_RANDOM_NO_RNG, configuration),
    ESTIA_CKR(CKR_DOMAIN_PARAMS_INVALID, configuration),
    ESTIA_CKR(CKR_CURVE_NOT_SUPPORTED, configuration),
    ESTIA_CKR(CKR_BUFFER_TOO_SMALL, unknown),
    ESTIA_CKR(CKR_SAVED_STATE_INVALID, unknown),
    ESTIA_CKR(CKR_INFORMATION_SENSITIVE, unknown),
    ESTIA_CKR(CKR_STATE_UNSAVEABLE, unknown),
    ESTIA_CKR(CKR_CRYPTOKI_NOT_INITIALIZED, not_initialized),
    ESTIA_CKR(CKR_CRYPTOKI_ALREADY_INITIALIZED, unknown),
    ESTIA_CKR(CKR_MUTEX_BAD, unknown),
    ESTIA_CKR(CKR_MUTEX_NOT_LOCKED, unknown),
    ESTIA_CKR(CKR_NEW_PIN_MODE, pin),
    ESTIA_CKR(CKR_NEXT_OTP, pin),
    ESTIA_CKR(CKR_EXCEEDED_MAX_ITERATIONS, unknown),
    ESTIA_CKR(CKR_FIPS_SELF_TEST_FAILED, unknown),
    ESTIA_CKR(CKR_LIBRARY_LOAD_FAILED, configuration),
    ESTIA_CKR(CKR_PIN_TOO_WEAK, pin),
    ESTIA_CKR(CKR_PUBLIC_KEY_INVALID, configuration),
    ESTIA_CKR(CKR_FUNCTION_REJECTED, unknown),
    // Of PKCS #11 3.0 and 3.1; Debian 12's header does not have them.
    Row{0x201, "CKR_TOKEN_RESOURCE_EXCEEDED", Fault::exhausted},
    Row{0x202, "CKR_OPERATION_CANCEL_FAILED", Fault::session_lost},
});
#undef ESTIA_CKR

const Row* find(CK_RV rv) noexcept {
  const auto* found = std::ranges::find(kTable, rv, &Row::rv);
  return found == kTable.end() ? nullptr : found;
}

const char* pin_id(CK_RV rv) noexcept {
  switch (rv) {
    case CKR_PIN_LOCKED:
      return "token.pin_locked";
    case CKR_PIN_EXPIRED:
      return "token.pin_expired";
    default:
      return "token.pin_incorrect";
  }
}

const char* id_of(CK_RV rv) noexcept {
  switch (classify(rv)) {
    case Fault::session_lost:
      return "token.session_lost";
    case Fault::stale_handle:
      return "token.handle_stale";
    case Fault::gone:
      return rv == CKR_USER_PIN_NOT_INITIALIZED ? "token.pin_not_set" : "token.gone";
    case Fault::exhausted:
      return "token.exhausted";
    case Fault::login_lost:
      return "token.login_lost";
    case Fault::pin:
      return pin_id(rv);
    case Fault::configuration:
      return "token.unsupported";
    case Fault::not_initialized:
      return "token.not_initialized";
    case Fault::unknown:
      break;
  }
  return "token.failed";
}

}  // namespace

Fault classify(CK_RV rv) noexcept {
  const Row* row = find(rv);
  return row == nullptr ? Fault::unknown : row->fault;
}

std::string ckr_name(CK_RV rv) {
  const Row* row = find(rv);
  std::ostringstream text;
  text << (rv == CKR_OK ? "CKR_OK" : row == nullptr ? "CKR_?" : row->name);
  text << " (0x" << std::hex << rv << ")";
  return text.str();
}

Remedy remedy(Fault fault) noexcept {
  switch (fault) {
    case Fault::session_lost:
      return Remedy::new_session;
    case Fault::stale_handle:
    case Fault::login_lost:
      return Remedy::new_login;
    case Fault::gone:
    case Fault::not_initialized:
      return Remedy::restart_module;
    case Fault::exhausted:
      return Remedy::wait;
    case Fault::pin:
      return Remedy::operator_only;
    case Fault::configuration:
      return Remedy::refuse;
    case Fault::unknown:
      break;
  }
  return Remedy::look;
}

std::string_view to_string(Fault fault) noexcept {
  switch (fault) {
    case Fault::session_lost:
      return "session lost";
    case Fault::stale_handle:
      return "stale handle";
    case Fault::gone:
      return "gone";
    case Fault::exhausted:
      return "exhausted";
    case Fault::login_lost:
      return "login lost";
    case Fault::pin:
      return "PIN";
    case Fault::configuration:
      return "configuration";
    case Fault::not_initialized:
      return "not initialised";
    case Fault::unknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(Remedy remedy) noexcept {
  switch (remedy) {
    case Remedy::new_session:
      return "new session";
    case Remedy::new_login:
      return "new login";
    case Remedy::restart_module:
      return "restart module";
    case Remedy::wait:
      return "wait";
    case Remedy::operator_only:
      return "operator";
    case Remedy::refuse:
      return "refuse";
    case Remedy::look:
      break;
  }
  return "look";
}

TokenError::TokenError(CK_RV rv, std::string_view function)
    : Error(ErrorCode::token, id_of(rv),
            classify(rv) == Fault::pin ? "the token refuses the PIN"
                                       : "the token is not available, try again later",
            std::string(function) + ": " + ckr_name(rv)),
      rv_(rv),
      function_(function) {}

TokenError token_error(CK_RV rv, std::string_view function) {
  return {rv, function};
}

Error token_unavailable(const std::string& id, const std::string& detail) {
  return {ErrorCode::token, id, "the token is not available, try again later", detail};
}

Error unshared(const Error& error) {
  return {error.code(), error.id(), error.what(), error.detail()};
}

void check(CK_RV rv, std::string_view function) {
  if (rv != CKR_OK) {
    throw token_error(rv, function);
  }
}

}  // namespace estia::hsm
