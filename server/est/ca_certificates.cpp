// SPDX-License-Identifier: Apache-2.0
#include "server/est/ca_certificates.h"

#include "crypto/cms/certs_only.h"

namespace estia::est {
namespace {

/// libest needs a line end within the first 1,024 characters; strongSwan 5.9.8 takes only one line
/// and is known by sending neither User-Agent nor Accept (docs/clients.md). Short answers suit both.
constexpr std::size_t kLongestSingleLine = 1000;
constexpr std::size_t kColumns = 64;

bool takes_one_line_only(const http::Request& request) {
  return !request.headers.find("User-Agent") && !request.headers.find("Accept");
}

}  // namespace

http::Response CaCertificates::answer(const Target& target, const http::Request& request) {
  const std::shared_ptr<const ByCa> by_ca = encoded(target.snapshot);
  const Encoded& certificates = by_ca->at(target.alias->ca);
  http::Response response;
  response.headers.add("Content-Type", "application/pkcs7-mime");
  response.headers.add("Content-Transfer-Encoding", "base64");
  const bool one_line =
      certificates.one_line.size() <= kLongestSingleLine + 1 || takes_one_line_only(request);
  response.body = one_line ? certificates.one_line : certificates.wrapped;
  return response;
}

std::shared_ptr<const CaCertificates::ByCa> CaCertificates::encoded(
    const std::shared_ptr<const ca::Snapshot>& snapshot) {
  const std::lock_guard lock(mutex_);
  if (snapshot_.lock() != snapshot) {
    auto fresh = std::make_shared<ByCa>();
    for (const auto& [name, authority] : snapshot->cas) {
      const Bytes message = crypto::certs_only(authority.chain);
      fresh->emplace(name,
                     Encoded{base64_encode(message) + "\n", base64_encode(message, kColumns)});
    }
    encoded_ = std::move(fresh);
    snapshot_ = snapshot;
  }
  return encoded_;
}

}  // namespace estia::est
