// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_self_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "crypto/base/error.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::http {
namespace {

using crypto::require;

constexpr int kMostSteps = 32;

crypto::SslPtr client_of(int version) {
  const crypto::SslCtxPtr context(require(
      ::SSL_CTX_new_ex(crypto::library(), nullptr, ::TLS_client_method()), "SSL_CTX_new_ex"));
  require(static_cast<int>(SSL_CTX_set_min_proto_version(context.get(), version)), "version");
  require(static_cast<int>(SSL_CTX_set_max_proto_version(context.get(), version)), "version");
  // Who it is, is compared below; whom clients trust is theirs to say.
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  crypto::SslPtr client(require(::SSL_new(context.get()), "SSL_new"));
  ::SSL_set_connect_state(client.get());
  return client;
}

void join(SSL* one, SSL* other) {
  BIO* first = nullptr;
  BIO* second = nullptr;
  require(::BIO_new_bio_pair(&first, 0, &second, 0), "BIO_new_bio_pair");
  ::SSL_set_bio(one, first, first);
  ::SSL_set_bio(other, second, second);
}

/// False when neither can go on, or one fails.
bool shake_hands(SSL* server, SSL* client) {
  for (int step = 0; step < kMostSteps; ++step) {
    bool done = true;
    for (SSL* side : {client, server}) {
      const int result = ::SSL_do_handshake(side);
      const int reason = ::SSL_get_error(side, result);
      if (result != 1 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
        return false;
      }
      done = done && result == 1;
    }
    if (done) {
      return true;
    }
  }
  return false;
}

}  // namespace

void check_handshakes(const TlsContext& context, const crypto::Certificate& leaf) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    ::ERR_clear_error();
    const crypto::SslPtr server = context.new_connection();
    const crypto::SslPtr client = client_of(version);
    join(server.get(), client.get());
    const bool agreed = shake_hands(server.get(), client.get());
    const std::string reason = crypto::drain_errors();
    X509* const shown = agreed ? ::SSL_get0_peer_certificate(client.get()) : nullptr;
    if (shown == nullptr || crypto::Certificate::from_openssl(shown).der() != leaf.der()) {
      throw Error(ErrorCode::config, "tls.self_check",
                  "no handshake succeeds with the TLS server's key and certificate", reason);
    }
  }
}

}  // namespace estia::http
