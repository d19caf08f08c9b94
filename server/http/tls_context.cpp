// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_context.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <cstdint>
#include <string_view>

#include "crypto/base/error.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::http {
namespace {

using crypto::require;

constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kTls13Suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// P-521 last, for devices whose certificate has such a key: TLS 1.2 refuses a certificate on a
// curve that is not listed.
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
constexpr int kSecurityLevel = 2;
/// Of a client's certificates, 10 of 3 KiB: reading more than that costs whoever sends them
/// nothing.
constexpr long kLongestChain = 32L << 10U;
constexpr long kMostSessions = 1024;

/// A signature by an RSA key costs whoever verifies it as much as its signer wants: the exponent is
/// his choice.
bool is_affordable(const X509* certificate) {
  constexpr int kMostExponentBits = 64;
  constexpr int kMostRsaBits = 8192;
  EVP_PKEY* const key = certificate == nullptr ? nullptr : ::X509_get0_pubkey(certificate);
  if (key == nullptr || ::EVP_PKEY_is_a(key, "RSA") != 1) {
    return true;
  }
  BIGNUM* exponent = nullptr;
  if (::EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
    return false;
  }
  const int bits = BN_num_bits(exponent);
  ::BN_free(exponent);
  return bits <= kMostExponentBits && ::EVP_PKEY_get_bits(key) <= kMostRsaBits;
}

/// Lets the handshake go on whatever the client sent: whoever gives rights to a certificate judges
/// it, per request. The verify result is never OK, so that nothing can read it as trust.
int accept_unjudged(X509_STORE_CTX* store, void* /*argument*/) {
  ::X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return is_affordable(::X509_STORE_CTX_get0_cert(store)) ? 1 : 0;
}

int choose_http11(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                  const unsigned char* offered, unsigned int size, void* /*argument*/) {
  constexpr std::string_view kHttp11 = "http/1.1";
  std::string_view rest(reinterpret_cast<const char*>(offered), size);
  while (!rest.empty()) {
    const std::size_t length = static_cast<unsigned char>(rest.front());
    if (rest.substr(1, length) == kHttp11) {
      *out = reinterpret_cast<const unsigned char*>(rest.data() + 1);
      *out_size = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
    rest.remove_prefix(std::min(length + 1, rest.size()));
  }
  return SSL_TLSEXT_ERR_NOACK;
}

void set_protocol(SSL_CTX* context) {
  // The machine's openssl.cnf may have set options here; ours are the whole list.
  ::SSL_CTX_clear_options(context, ::SSL_CTX_get_options(context));
  // A peer that ends without close_notify is told from a complete one by Content-Length. A client
  // that sends a session id gets its change_cipher_spec (RFC 8446 D.4): middleboxes wait for it.
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
  require(static_cast<int>(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)),
          "SSL_CTX_set_min_proto_version");
  require(static_cast<int>(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION)),
          "SSL_CTX_set_max_proto_version");
  ::SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_max_cert_list(context, kLongestChain);
  require(::SSL_CTX_set_cipher_list(context, kTls12Suites), "SSL_CTX_set_cipher_list");
  require(::SSL_CTX_set_ciphersuites(context, kTls13Suites), "SSL_CTX_set_ciphersuites");
  require(static_cast<int>(SSL_CTX_set1_groups_list(context, kGroups)), "SSL_CTX_set1_groups_list");
  SSL_CTX_set_dh_auto(context, 0);
  ::SSL_CTX_set_alpn_select_cb(context, choose_http11, nullptr);
}

void set_sessions(SSL_CTX* context, Resumption resumption, std::chrono::seconds lifetime) {
  const bool kept = resumption == Resumption::on;
  // Sessions are kept here and named to the client, in TLS 1.3 too (SSL_OP_NO_TICKET): they can be
  // forgotten, and hold the client's whole chain, which is judged again with every request.
  SSL_CTX_set_session_cache_mode(context, kept ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
  SSL_CTX_sess_set_cache_size(context, kept ? kMostSessions : 1);
  ::SSL_CTX_set_timeout(context, lifetime.count());
  require(::SSL_CTX_set_num_tickets(context, kept ? 1 : 0), "SSL_CTX_set_num_tickets");
  require(::SSL_CTX_set_max_early_data(context, 0), "SSL_CTX_set_max_early_data");
  // Without a context, a client that tries to resume gets a fatal alert instead of a full
  // handshake.
  constexpr std::string_view kContext = "estia";
  require(::SSL_CTX_set_session_id_context(
              context, reinterpret_cast<const unsigned char*>(kContext.data()), kContext.size()),
          "SSL_CTX_set_session_id_context");
}

void set_buffers(SSL_CTX* context) {
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One record at a time: a client that sends KeyUpdates without end would keep SSL_read at work
  // for ever, past every deadline. What is not read stays with the kernel, where epoll sees it:
  // nothing may be read ahead.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

void set_identity(SSL_CTX* context, const TlsIdentity& identity) {
  if (identity.chain.empty()) {
    throw Error(ErrorCode::config, "tls.identity", "the TLS server has no certificate");
  }
  bool fits = ::SSL_CTX_use_certificate(context, identity.chain.front().openssl()) == 1;
  for (std::size_t i = 1; i < identity.chain.size(); ++i) {
    fits = fits && SSL_CTX_add1_chain_cert(context, identity.chain[i].openssl()) == 1;
  }
  fits = fits && ::SSL_CTX_use_PrivateKey(context, identity.key.evp()) == 1;
  if (!fits) {
    throw Error(ErrorCode::config, "tls.identity",
                "the TLS server's key and certificate chain cannot be used",
                crypto::drain_errors());
  }
}

// OpenSSL 3.4 deprecates the older pair; Debian 12 has only that.
#if OPENSSL_VERSION_PREREQ(3, 4)
std::intptr_t time_of(const SSL_SESSION* session) {
  return static_cast<std::intptr_t>(::SSL_SESSION_get_time_ex(session));
}
void set_time(SSL_SESSION* session, std::intptr_t time) {
  static_cast<void>(::SSL_SESSION_set_time_ex(session, static_cast<time_t>(time)));
}
#else
std::intptr_t time_of(const SSL_SESSION* session) {
  return static_cast<std::intptr_t>(::SSL_SESSION_get_time(session));
}
void set_time(SSL_SESSION* session, std::intptr_t time) {
  static_cast<void>(::SSL_SESSION_set_time(session, static_cast<long>(time)));
}
#endif

}  // namespace

TlsContext::TlsContext(const TlsIdentity& identity, Resumption resumption,
                       std::chrono::seconds session_lifetime)
    : identity_(identity),
      resumption_(resumption),
      session_lifetime_(session_lifetime),
      context_(require(::SSL_CTX_new_ex(crypto::library(), nullptr, ::TLS_server_method()),
                       "SSL_CTX_new_ex")) {
  set_protocol(context_.get());
  set_sessions(context_.get(), resumption, session_lifetime);
  set_buffers(context_.get());
  set_identity(context_.get(), identity);
  // No CA names are sent: JSSE and others stay silent if theirs is not listed, and the list would
  // tell strangers our tenants (docs/clients.md).
  ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  ::SSL_CTX_set_cert_verify_callback(context_.get(), accept_unjudged, nullptr);
}

void TlsContext::keep_age(SSL* ssl) noexcept {
  static const int index = ::SSL_SESSION_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  SSL_SESSION* const session = ::SSL_get_session(ssl);
  // The number itself is kept, which OpenSSL copies with the session.
  const auto known = reinterpret_cast<std::intptr_t>(::SSL_SESSION_get_ex_data(session, index));
  if (::SSL_session_reused(ssl) == 1 && known != 0) {
    set_time(session, known);
  } else {
    ::SSL_SESSION_set_ex_data(session, index, reinterpret_cast<void*>(time_of(session)));
  }
}

std::shared_ptr<const TlsContext> TlsContext::without_sessions() const {
  return std::make_shared<const TlsContext>(identity_, resumption_, session_lifetime_);
}

crypto::SslPtr TlsContext::new_connection() const {
  crypto::SslPtr ssl(require(::SSL_new(context_.get()), "SSL_new"));
  ::SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace estia::http
