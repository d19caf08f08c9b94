// SPDX-License-Identifier: Apache-2.0
#include "hsm/signing_provider.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <array>
#include <mutex>
#include <utility>

#include "crypto/keys/private_key.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "hsm/provider_parts.h"

namespace estia::hsm {
namespace provider {
namespace {

const OSSL_ALGORITHM* query_operation(void* /*context*/, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return key_managements();
    case OSSL_OP_SIGNATURE:
      return signatures();
    default:
      return nullptr;
  }
}

int initialise(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* /*core*/,
               const OSSL_DISPATCH** functions, void** context) {
  static const auto table = std::to_array<OSSL_DISPATCH>(
      {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_operation), {0, nullptr}});
  *functions = table.data();
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);  // anything but NULL: there is no state
  return 1;
}

/// After the default provider, which stays the first choice of every fetch that names none.
void install_once() {
  static std::once_flag installed;
  std::call_once(installed, [] {
    crypto::require(::OSSL_PROVIDER_add_builtin(crypto::library(), kName, initialise),
                    "OSSL_PROVIDER_add_builtin");
    crypto::require(::OSSL_PROVIDER_load(crypto::library(), kName), "OSSL_PROVIDER_load");
  });
}

const char* key_type(KeyKind kind) noexcept {
  switch (kind) {
    case KeyKind::ec:
      return "EC";
    case KeyKind::rsa:
      return "RSA";
    case KeyKind::ed25519:
      break;
  }
  return "ED25519";
}

}  // namespace

void leave_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    crypto::leave_pending_error(error);
    ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "%s", error.id().c_str());
  } catch (const std::exception& error) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "%s", error.what());
  } catch (...) {
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  }
}

}  // namespace provider

crypto::EvpPkeyPtr make_provider_key(const std::shared_ptr<const SigningKey>& key) {
  provider::install_once();
  const crypto::EvpPkeyCtxPtr context(crypto::require(
      ::EVP_PKEY_CTX_new_from_name(crypto::library(), provider::key_type(key->kind()),
                                   provider::kProperties),
      "EVP_PKEY_CTX_new_from_name"));
  crypto::require(::EVP_PKEY_fromdata_init(context.get()), "EVP_PKEY_fromdata_init");
  const auto* address = &key;
  // NOLINTBEGIN(bugprone-sizeof-expression): the address itself is what travels
  std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_octet_string(provider::kKeyParameter, &address, sizeof address),
      OSSL_PARAM_construct_end()};
  // NOLINTEND(bugprone-sizeof-expression)
  EVP_PKEY* made = nullptr;
  crypto::require(::EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.data()),
                  "EVP_PKEY_fromdata");
  return crypto::EvpPkeyPtr(made);
}

}  // namespace estia::hsm
