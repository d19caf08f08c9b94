// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/chain_verifier.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr int kMaxDepth = 10;

X509StorePtr store_of(const std::vector<Certificate>& anchors) {
  X509StorePtr store(require(::X509_STORE_new(), "X509_STORE_new"));
  for (const Certificate& anchor : anchors) {
    require(::X509_STORE_add_cert(store.get(), anchor.openssl()), "X509_STORE_add_cert");
  }
  return store;
}

X509StackPtr stack_of(const std::vector<Certificate>& certificates) {
  X509StackPtr stack(require(sk_X509_new_null(), "sk_X509_new_null"));
  for (const Certificate& certificate : certificates) {
    require(::X509_add_cert(stack.get(), certificate.openssl(), X509_ADD_FLAG_UP_REF),
            "X509_add_cert");
  }
  return stack;
}

/// OpenSSL's chain is made of the objects it was handed: what was read once is not read again.
Certificate known_or_read(const X509* wanted,
                          std::initializer_list<std::span<const Certificate>> known) {
  for (const std::span<const Certificate> certificates : known) {
    const auto found = std::ranges::find_if(
        certificates, [&](const Certificate& each) { return each.openssl() == wanted; });
    if (found != certificates.end()) {
      return *found;
    }
  }
  return Certificate::from_openssl(wanted);
}

}  // namespace

ChainOutcome verify_client_chain(const Certificate& leaf, const std::vector<Certificate>& untrusted,
                                 const std::vector<Certificate>& anchors, Instant at) {
  ChainOutcome outcome;
  if (anchors.empty()) {
    outcome.reason = "no trust anchors";
    return outcome;
  }
  const X509StorePtr store = store_of(anchors);
  const X509StackPtr helpers = stack_of(untrusted);
  const X509StoreCtxPtr context(
      require(::X509_STORE_CTX_new_ex(library(), nullptr), "X509_STORE_CTX_new_ex"));
  require(::X509_STORE_CTX_init(context.get(), store.get(), leaf.openssl(), helpers.get()),
          "X509_STORE_CTX_init");
  X509_VERIFY_PARAM* parameters = ::X509_STORE_CTX_get0_param(context.get());
  require(::X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT),
          "X509_VERIFY_PARAM_set_purpose");
  ::X509_VERIFY_PARAM_set_time(parameters, unix_seconds(at));
  ::X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
  ::X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  // An anchor may be an intermediate: whoever lists it trusts it, not what is above it.
  require(::X509_VERIFY_PARAM_set_flags(parameters,
                                        X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT),
          "X509_VERIFY_PARAM_set_flags");
  const bool ok = ::X509_verify_cert(context.get()) == 1;
  const int error = ::X509_STORE_CTX_get_error(context.get());
  static_cast<void>(drain_errors());
  if (!ok || error != X509_V_OK) {
    outcome.reason = ::X509_verify_cert_error_string(error);
    return outcome;
  }
  const STACK_OF(X509)* chain = ::X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    outcome.chain.push_back(
        known_or_read(sk_X509_value(chain, i), {{&leaf, 1}, untrusted, anchors}));
  }
  outcome.trusted = true;
  return outcome;
}

}  // namespace estia::crypto
