// SPDX-License-Identifier: Apache-2.0
#include "admin/token/libp11_context.h"

#include <dlfcn.h>
#include <openssl/err.h>

#include <array>
#include <string_view>

#include "crypto/base/error.h"
#include "hsm/module_report.h"

namespace estia::admin {
namespace {

/// By libp11, without a look whether they are there, besides those that Estia needs always.
constexpr auto kCalled = std::to_array<std::string_view>(
    {"C_GetInfo", "C_GetSlotInfo", "C_InitToken", "C_InitPIN", "C_SetPIN", "C_CloseAllSessions",
     "C_GetSessionInfo", "C_Logout", "C_CreateObject"});

[[noreturn]] void refuse_module(const std::filesystem::path& module, const std::string& reason) {
  throw Error(ErrorCode::config, "token.module",
              module.string() + " cannot be used as a PKCS#11 module: " + reason);
}

/// libp11 would print the loader's reason by itself, and its error would not name it.
void check_loads(const std::filesystem::path& module) {
  void* library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    refuse_module(module, reason == nullptr ? "it does not load" : reason);
  }
  const bool is_module = ::dlsym(library, "C_GetFunctionList") != nullptr;
  ::dlclose(library);
  if (!is_module) {
    refuse_module(module, "it has no C_GetFunctionList");
  }
  std::string absent;
  for (const std::string& function : hsm::functions_left_out(module, kCalled)) {
    absent.append(absent.empty() ? "" : ", ").append(function);
  }
  if (!absent.empty()) {
    refuse_module(module, "it has no " + absent);
  }
}

}  // namespace

std::string libp11_reason() {
  // The first entry is the cause, later ones are what it led to.
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "the module gave no reason" : reason;
}

std::string unpadded_text(const char* text) {
  std::string result = text == nullptr ? "" : text;
  result.erase(result.find_last_not_of(' ') + 1);
  return result;
}

Libp11Context::Libp11Context(const std::filesystem::path& module, const std::string& init_args)
    : init_args_(init_args) {
  check_loads(module);
  context_ = ::PKCS11_CTX_new();
  if (context_ == nullptr) {
    throw Error(ErrorCode::internal, "token.module", "libp11 cannot be used");
  }
  if (!init_args_.empty()) {
    ::PKCS11_CTX_init_args(context_, init_args_.c_str());
  }
  ::ERR_clear_error();
  if (::PKCS11_CTX_load(context_, module.c_str()) != 0) {
    const std::string reason = libp11_reason();
    ::PKCS11_CTX_free(context_);
    refuse_module(module, reason);
  }
  ::ERR_clear_error();  // SoftHSM leaves entries of its own in C_Initialize
  if (::PKCS11_enumerate_slots(context_, &slots_, &count_) != 0) {
    const std::string reason = libp11_reason();
    ::PKCS11_CTX_unload(context_);
    ::PKCS11_CTX_free(context_);
    throw Error(ErrorCode::token, "token.slots", "the module shows no slots: " + reason);
  }
}

Libp11Context::~Libp11Context() {
  ::PKCS11_release_all_slots(context_, slots_, count_);
  ::PKCS11_CTX_unload(context_);
  ::PKCS11_CTX_free(context_);
}

void Libp11Context::refresh() {
  ::ERR_clear_error();
  if (::PKCS11_update_slots(context_, &slots_, &count_) != 0) {
    throw Error(ErrorCode::token, "token.slots", "the module shows no slots: " + libp11_reason());
  }
}

}  // namespace estia::admin
