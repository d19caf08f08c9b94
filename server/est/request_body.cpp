// SPDX-License-Identifier: Apache-2.0
#include "server/est/request_body.h"

#include <array>

#include "crypto/base/error.h"

namespace estia::est {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

struct Armour {
  std::string_view begin;
  std::string_view end;
};
constexpr std::array<Armour, 2> kArmours{{
    {"-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"},
    {"-----BEGIN NEW CERTIFICATE REQUEST-----", "-----END NEW CERTIFICATE REQUEST-----"},
}};

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

std::string_view without_armour(std::string_view body) {
  for (const Armour& armour : kArmours) {
    if (body.starts_with(armour.begin) && body.ends_with(armour.end) &&
        body.size() >= armour.begin.size() + armour.end.size()) {
      body.remove_prefix(armour.begin.size());
      body.remove_suffix(armour.end.size());
      return body;
    }
  }
  throw Error(ErrorCode::malformed, "body.armour",
              "the body is neither base64 nor exactly one PEM certificate request");
}

}  // namespace

Bytes decode_request_body(std::string_view body) {
  body = trimmed(body);
  if (body.empty()) {
    throw Error(ErrorCode::malformed, "body.empty", "the request has no body");
  }
  return base64_decode(body.starts_with('-') ? without_armour(body) : body);
}

crypto::Csr csr_in(std::string_view body, ca::Operation operation) {
  crypto::Csr csr = crypto::Csr::parse(decode_request_body(body));
  if (operation != ca::Operation::serverkeygen) {
    csr.verify_signature();
  }
  return csr;
}

}  // namespace estia::est
