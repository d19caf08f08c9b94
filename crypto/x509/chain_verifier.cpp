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

CrlStackPtr stack_of(const std::vector<Crl>& crls) {
  CrlStackPtr stack(require(sk_X509_CRL_new_null(), "sk_X509_CRL_new_null"));
  for (const Crl& crl : crls) {
    require(sk_X509_CRL_push(stack.get(), crl.openssl()) > 0 ? 1 : 0, "sk_X509_CRL_push");
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

/// Not the leaf, should somebody have listed it.
bool is_anchor_of(X509_STORE_CTX* context, int depth) {
  return depth > 0 && depth + 1 == sk_X509_num(::X509_STORE_CTX_get0_chain(context));
}

/// The anchor needs no CRL: nobody above it is asked.
int pass_anchor(int ok, X509_STORE_CTX* context) {
  const bool unknown = ::X509_STORE_CTX_get_error(context) == X509_V_ERR_UNABLE_TO_GET_CRL;
  const int depth = ::X509_STORE_CTX_get_error_depth(context);
  return ok == 1 || (unknown && is_anchor_of(context, depth)) ? 1 : 0;
}

/// And a CRL that is missing or late is none; what stands in a late one still counts.
int pass_missing(int ok, X509_STORE_CTX* context) {
  switch (::X509_STORE_CTX_get_error(context)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return 1;
    default:
      return ok;
  }
}

ChainOutcome::Failure failure_of(int error) {
  using enum ChainOutcome::Failure;
  switch (error) {
    case X509_V_ERR_CERT_REVOKED:
      return revoked;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
      return revocation_unknown;
    default:
      return untrusted;
  }
}

ChainOutcome verify(int purpose, const Certificate& leaf, const std::vector<Certificate>& untrusted,
                    const std::vector<Certificate>& anchors, Instant at,
                    const std::optional<CrlCheck>& crls) {
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
  require(::X509_VERIFY_PARAM_set_purpose(parameters, purpose), "X509_VERIFY_PARAM_set_purpose");
  ::X509_VERIFY_PARAM_set_time(parameters, unix_seconds(at));
  ::X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
  ::X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  // An anchor may be an intermediate: whoever lists it trusts it, not what is above it.
  require(::X509_VERIFY_PARAM_set_flags(parameters,
                                        X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT),
          "X509_VERIFY_PARAM_set_flags");
  const CrlStackPtr crl_stack = crls ? stack_of(crls->crls) : nullptr;
  if (crls) {
    ::X509_STORE_CTX_set0_crls(context.get(), crl_stack.get());
    require(::X509_VERIFY_PARAM_set_flags(parameters,
                                          X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL),
            "X509_VERIFY_PARAM_set_flags");
    ::X509_STORE_CTX_set_verify_cb(context.get(), crls->required ? pass_anchor : pass_missing);
  }
  const bool ok = ::X509_verify_cert(context.get()) == 1;
  const int error = ::X509_STORE_CTX_get_error(context.get());
  static_cast<void>(drain_errors());
  // What a callback let pass stays noted as the context's error.
  const bool passed = ok && crls && failure_of(error) == ChainOutcome::Failure::revocation_unknown;
  if (!ok || (error != X509_V_OK && !passed)) {
    outcome.failure = failure_of(error);
    outcome.reason = ::X509_verify_cert_error_string(error);
    return outcome;
  }
  const STACK_OF(X509)* chain = ::X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    outcome.chain.push_back(
        known_or_read(sk_X509_value(chain, i), {{&leaf, 1}, untrusted, anchors}));
  }
  outcome.trusted = true;
  outcome.failure = ChainOutcome::Failure::none;
  return outcome;
}

}  // namespace

ChainOutcome verify_client_chain(const Certificate& leaf, const std::vector<Certificate>& untrusted,
                                 const std::vector<Certificate>& anchors, Instant at,
                                 const std::optional<CrlCheck>& crls) {
  return verify(X509_PURPOSE_SSL_CLIENT, leaf, untrusted, anchors, at, crls);
}

ChainOutcome verify_crl_issuer(const Certificate& issuer, const std::vector<Certificate>& untrusted,
                               const Certificate& anchor, Instant at) {
  return verify(X509_PURPOSE_CRL_SIGN, issuer, untrusted, {anchor}, at, std::nullopt);
}

}  // namespace estia::crypto
