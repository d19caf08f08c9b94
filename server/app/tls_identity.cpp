// SPDX-License-Identifier: Apache-2.0
#include "server/app/tls_identity.h"

#include "crypto/base/error.h"
#include "crypto/base/file.h"

namespace estia::app {
namespace {

constexpr std::size_t kLargestChainFile = 256U << 10U;

[[noreturn]] void refuse(const char* id, const std::filesystem::path& file,
                         const std::string& reason) {
  throw Error(ErrorCode::config, id, file.string() + ": " + reason);
}

/// Errors of the parsers say what is wrong; the operator also needs to know where.
template <class Parse>
auto in_file(const std::filesystem::path& file, Parse parse) {
  try {
    return parse();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) {
      throw;
    }
    throw Error(ErrorCode::config, error.id(), file.string() + ": " + error.what(), error.detail());
  }
}

void check_chain(const std::vector<crypto::Certificate>& chain, const std::filesystem::path& file,
                 Instant now) {
  if (now < chain.front().not_before()) {
    refuse("tls.not_yet_valid", file, "the server's certificate is not valid yet");
  }
  if (now > chain.front().not_after()) {
    refuse("tls.expired", file, "the server's certificate has expired");
  }
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (!chain[i].signed_by(chain[i + 1].public_key())) {
      refuse("tls.chain_order", file,
             "certificate " + std::to_string(i + 1) + " is not issued by the one after it");
    }
  }
}

}  // namespace

http::TlsIdentity load_tls_identity(const ProcessConfig::EstListener& listener, Instant now) {
  // A pipe would keep whoever reads it waiting.
  for (const auto& file : {listener.key, listener.certificate}) {
    if (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file)) {
      refuse("tls.not_a_file", file, "is not a regular file");
    }
  }
  const Secret pem = read_secret_file(listener.key);
  crypto::PrivateKey key = in_file(listener.key, [&] { return crypto::PrivateKey::from_pem(pem); });
  const std::string chain_pem = read_file(listener.certificate, kLargestChainFile);
  std::vector<crypto::Certificate> chain =
      in_file(listener.certificate, [&] { return crypto::Certificate::parse_pem(chain_pem); });
  if (!(key.public_key() == chain.front().public_key())) {
    refuse("tls.key_mismatch", listener.key,
           "is not the key of the first certificate in " + listener.certificate.string());
  }
  check_chain(chain, listener.certificate, now);
  return {std::move(key), std::move(chain)};
}

}  // namespace estia::app
