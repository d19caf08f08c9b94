// SPDX-License-Identifier: Apache-2.0
#include "server/http/peer_reader.h"

#include <openssl/ssl.h>

#include <array>
#include <string_view>

#include "crypto/base/error.h"
#include "crypto/openssl/require.h"

namespace estia::http {
namespace {

constexpr std::size_t kTlsUniqueSize = 12;  // RFC 5246 7.4.9
constexpr std::size_t kTlsExporterSize = 32;
constexpr int kLongestChain = 10;

std::vector<crypto::Certificate> read_chain(SSL* ssl) {
  const X509* leaf = ::SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) {
    return {};
  }
  try {
    std::vector<crypto::Certificate> chain{crypto::Certificate::from_openssl(leaf)};
    // On the server this list lacks the leaf.
    const STACK_OF(X509)* rest = ::SSL_get_peer_cert_chain(ssl);
    const int size = rest == nullptr ? 0 : sk_X509_num(rest);
    for (int i = 0; i < size && i < kLongestChain; ++i) {
      auto certificate = crypto::Certificate::from_openssl(sk_X509_value(rest, i));
      if (!(certificate == chain.back())) {
        chain.push_back(std::move(certificate));
      }
    }
    return chain;
  } catch (const Error&) {
    return {};
  }
}

/// RFC 5929 3.1: the first Finished, which is the client's in a full handshake. Without the
/// extended master secret two connections can be made to share it (TLSX-5929-b, -d).
std::optional<Bytes> tls_unique(SSL* ssl) {
  if (SSL_get_extms_support(ssl) != 1 || ::SSL_session_reused(ssl) != 0) {
    return std::nullopt;
  }
  Bytes finished(kTlsUniqueSize);
  const std::size_t size = ::SSL_get_peer_finished(ssl, finished.data(), finished.size());
  return size == kTlsUniqueSize ? std::optional(finished) : std::nullopt;
}

/// RFC 9266 2; with an empty context, not without one (TLSX-9266-a).
std::optional<Bytes> tls_exporter(SSL* ssl) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  const unsigned char empty = 0;
  Bytes value(kTlsExporterSize);
  if (::SSL_export_keying_material(ssl, value.data(), value.size(), kLabel.data(), kLabel.size(),
                                   &empty, 0, 1) != 1) {
    static_cast<void>(crypto::drain_errors());
    return std::nullopt;
  }
  return value;
}

}  // namespace

PeerInfo read_peer(SSL* ssl) {
  PeerInfo peer;
  peer.tls_version = ::SSL_get_version(ssl);
  peer.chain = read_chain(ssl);
  if (::SSL_version(ssl) == TLS1_2_VERSION) {
    peer.channel_binding = tls_unique(ssl);
  } else if (::SSL_version(ssl) == TLS1_3_VERSION) {
    peer.channel_binding = tls_exporter(ssl);
  }
  return peer;
}

}  // namespace estia::http
