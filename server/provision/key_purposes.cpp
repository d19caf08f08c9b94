// SPDX-License-Identifier: Apache-2.0
#include "server/provision/key_purposes.h"

#include <algorithm>
#include <array>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension.h"

namespace estia::provision {
namespace {

struct Purpose {
  std::string_view name;
  std::string_view oid;
};
constexpr std::array<Purpose, 11> kPurposes{{
    {"serverAuth", crypto::oid::kServerAuth},
    {"clientAuth", crypto::oid::kClientAuth},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},
    {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"timeStamping", "1.3.6.1.5.5.7.3.8"},
    {"OCSPSigning", crypto::oid::kOcspSigning},
    {"cmcCA", crypto::oid::kCmcCa},
    {"cmcRA", crypto::oid::kCmcRa},
    {"ipsecIKE", "1.3.6.1.5.5.7.3.17"},
    {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"},
    {"anyExtendedKeyUsage", "2.5.29.37.0"},
}};

}  // namespace

std::optional<std::string> key_purpose_oid(std::string_view written) {
  const auto found = std::ranges::find(kPurposes, written, &Purpose::name);
  if (found != kPurposes.end()) {
    return std::string(found->oid);
  }
  try {
    static_cast<void>(der::oid(written));
    return std::string(written);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string key_purpose_name(std::string_view oid) {
  const auto found = std::ranges::find(kPurposes, oid, &Purpose::oid);
  return std::string(found != kPurposes.end() ? found->name : oid);
}

std::string known_key_purposes() {
  std::string names;
  for (const Purpose& purpose : kPurposes) {
    names += (names.empty() ? "" : ", ") + std::string(purpose.name);
  }
  return names;
}

}  // namespace estia::provision
