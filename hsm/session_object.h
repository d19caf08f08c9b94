// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <utility>

#include "hsm/ckr.h"
#include "hsm/module.h"
#include "hsm/objects.h"

namespace estia::hsm {

/// One session object, destroyed on every path out. What cannot be destroyed ends with its session.
/// One thread; the module outlives it.
class SessionObject final {
 public:
  SessionObject(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) noexcept
      : module_(module), session_(session), object_(object) {}
  ~SessionObject() { static_cast<void>(destroy_it()); }
  SessionObject(const SessionObject&) = delete;
  SessionObject& operator=(const SessionObject&) = delete;
  SessionObject(SessionObject&& other) noexcept
      : module_(other.module_), session_(other.session_), object_(other.release()) {}
  SessionObject& operator=(SessionObject&&) = delete;

  /// By C_CreateObject. Throws Error{token}.
  [[nodiscard]] static SessionObject created(const Module& module, CK_SESSION_HANDLE session,
                                             Template wanted) {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    check(module->C_CreateObject(session, wanted.data(), wanted.size(), &object), "C_CreateObject");
    return {module, session, object};
  }

  [[nodiscard]] CK_OBJECT_HANDLE handle() const noexcept { return object_; }

  /// Destroys it now. Throws Error{token}.
  void destroy() { check(destroy_it(), "C_DestroyObject"); }
  /// Somebody else's from here on.
  [[nodiscard]] CK_OBJECT_HANDLE release() noexcept {
    return std::exchange(object_, CK_INVALID_HANDLE);
  }

 private:
  CK_RV destroy_it() noexcept {
    return object_ == CK_INVALID_HANDLE
               ? CKR_OK
               : module_->C_DestroyObject(session_, std::exchange(object_, CK_INVALID_HANDLE));
  }

  const Module& module_;
  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE object_;
};

}  // namespace estia::hsm
