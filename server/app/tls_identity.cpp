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

/// A pipe would keep whoever reads it waiting.
void refuse_pipe(const std::filesystem::path& file) {
  if (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file)) {
    refuse("tls.not_a_file", file, "is not a regular file");
  }
}

crypto::PrivateKey key_in(const std::filesystem::path& file) {
  refuse_pipe(file);
  const Secret pem = read_secret_file(file);
  return in_file(file, [&] { return crypto::PrivateKey::from_pem(pem); });
}

std::vector<crypto::Certificate> chain_in(const std::filesystem::path& file, Instant now) {
  refuse_pipe(file);
  const std::string pem = read_file(file, kLargestChainFile);
  std::vector<crypto::Certificate> chain =
      in_file(file, [&] { return crypto::Certificate::parse_pem(pem); });
  check_chain(chain, file, now);
  return chain;
}

crypto::PrivateKey key_in_token(const hsm::KeyUri& uri, const TokenKeySource& token) {
  try {
    return token(uri);
  } catch (const Error& error) {
    throw Error(error.code(), error.id(),
                "listener.est.key " + uri.text() + ": " + std::string(error.what()),
                error.detail());
  }
}

void check_pair(const ProcessConfig::EstListener& listener, const crypto::PublicKey& key,
                const crypto::Certificate& leaf) {
  if (!(key == leaf.public_key())) {
    const std::string name =
        listener.token_key ? listener.token_key->text() : listener.key.string();
    refuse("tls.key_mismatch", name,
           "is not the key of the first certificate in " + listener.certificate.string());
  }
}

}  // namespace

http::TlsIdentity load_tls_identity(const ProcessConfig::EstListener& listener,
                                    const TokenKeySource& token, Instant now) {
  crypto::PrivateKey key =
      listener.token_key ? key_in_token(*listener.token_key, token) : key_in(listener.key);
  std::vector<crypto::Certificate> chain = chain_in(listener.certificate, now);
  check_pair(listener, key.public_key(), chain.front());
  return {std::move(key), std::move(chain)};
}

void check_tls_files(const ProcessConfig::EstListener& listener, Instant now) {
  const std::vector<crypto::Certificate> chain = chain_in(listener.certificate, now);
  if (!listener.token_key) {
    check_pair(listener, key_in(listener.key).public_key(), chain.front());
  }
}

}  // namespace estia::app
