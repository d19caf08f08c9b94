// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/types.h>

#include <exception>
#include <memory>
#include <type_traits>

#include "hsm/signing_key.h"

// What the files of the signing provider share; nobody else includes this.
namespace estia::hsm::provider {

inline constexpr const char* kName = "estia-hsm";
inline constexpr const char* kProperties = "provider=estia-hsm";
/// The one parameter that makes a key: the address of a shared_ptr<const SigningKey>.
inline constexpr const char* kKeyParameter = "estia-token-key";

// Names are those of OpenSSL's own algorithms, so that a key is "an EC key" to everybody.
inline constexpr const char* kEcNames = "EC:id-ecPublicKey:1.2.840.10045.2.1";
inline constexpr const char* kRsaNames = "RSA:rsaEncryption:1.2.840.113549.1.1.1";
inline constexpr const char* kEd25519Names = "ED25519:1.3.101.112";

/// OpenSSL's handle of a key.
struct KeyData {
  std::shared_ptr<const SigningKey> key;
};

[[nodiscard]] const OSSL_ALGORITHM* key_managements();
[[nodiscard]] const OSSL_ALGORITHM* signatures();

/// Leaves what was thrown for the caller of OpenSSL; call it in a catch block only.
void leave_current_exception() noexcept;

/// Runs `body`; an exception becomes 0 or nullptr, as OpenSSL expects of a failed function.
template <class Body>
auto guarded(Body&& body) noexcept -> std::invoke_result_t<Body> {
  try {
    return body();
  } catch (...) {
    leave_current_exception();
    return {};
  }
}

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) noexcept {
  return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace estia::hsm::provider
