// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/smime_capabilities.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kOid = 0x06;
constexpr std::size_t kMaxSize = 4096;
constexpr std::size_t kMaxCapabilities = 64;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "smime_capabilities.malformed",
              "the attribute SMIMECapabilities is malformed", why);
}

/// SMIMECapability and AlgorithmIdentifier have the same form.
struct Capability {
  ByteView oid;         // the whole TLV
  ByteView parameters;  // the whole TLV; empty when absent
};

Capability read_capability(const der::Element& element) {
  if (element.tag != kSequence || element.value.empty()) {
    refuse("a capability that is no SEQUENCE, or an empty one");
  }
  ByteView content = element.value;
  const der::Element type = der::read(content);
  if (type.tag != kOid) {
    refuse("a capability without an object identifier");
  }
  Capability capability{type.whole, content};
  if (!content.empty()) {
    static_cast<void>(der::read(content));
  }
  if (!content.empty()) {
    refuse("something follows a capability's parameters");
  }
  return capability;
}

bool plain(const Capability& capability) {
  return capability.parameters.empty() || std::ranges::equal(capability.parameters, der::null());
}

template <class Row>
const Row* find(const std::vector<Row>& table, ByteView oid) {
  const auto found = std::ranges::find_if(
      table, [&](const Row& row) { return std::ranges::equal(der::oid(row.oid), oid); });
  return found == table.end() ? nullptr : &*found;
}

/// The two ways to write "no parameters" of the digest are both in use (RFC 4055 2.1).
bool is_oaep(const KeyTransport& transport, ByteView parameters) {
  const Bytes oid = der::oid(transport.digest_oid);
  return std::ranges::equal(oaep_parameters(der::sequence({oid, der::null()})), parameters) ||
         std::ranges::equal(oaep_parameters(der::sequence({oid})), parameters);
}

void add_key_transport(SmimeCapabilities& known, const Capability& capability) {
  const std::string_view oaep = known_key_transports().front().oid;
  if (std::ranges::equal(der::oid(oaep), capability.oid) &&
      std::ranges::equal(capability.parameters, der::sequence({}))) {
    known.oaep_sha1 = true;  // all its defaults (RFC 4055 4.1)
    return;
  }
  for (const KeyTransport& transport : known_key_transports()) {
    if (!std::ranges::equal(der::oid(transport.oid), capability.oid)) {
      continue;
    }
    const bool meant = transport.digest.empty() ? plain(capability)
                                                : capability.parameters.empty() ||
                                                      is_oaep(transport, capability.parameters);
    if (meant) {
      known.key_transports.push_back(transport);
      return;  // SHA-256, the first, where nothing is said
    }
  }
}

/// RFC 5753 7.2: the parameters are the AlgorithmIdentifier of the key wrap.
void add_key_agreement(SmimeCapabilities& known, const KeyAgreementScheme& scheme,
                       ByteView parameters) {
  if (parameters.empty() || parameters.front() != kSequence) {
    return;
  }
  const Capability wrap = read_capability(der::read(parameters));
  const KeyWrap* row = find(known_key_wraps(), wrap.oid);
  if (row != nullptr && plain(wrap)) {
    known.key_agreements.push_back({scheme, *row});
  }
}

/// DES, RC2 and triple DES, AES-GCM and AES-CCM, Camellia: what clients list besides AES-CBC.
bool is_other_content_cipher(ByteView oid) {
  constexpr std::array<std::string_view, 12> kOthers{"1.3.14.3.2.7",
                                                     "1.2.840.113549.3.2",
                                                     "1.2.840.113549.3.7",
                                                     "2.16.840.1.101.3.4.1.6",
                                                     "2.16.840.1.101.3.4.1.26",
                                                     "2.16.840.1.101.3.4.1.46",
                                                     "2.16.840.1.101.3.4.1.7",
                                                     "2.16.840.1.101.3.4.1.27",
                                                     "2.16.840.1.101.3.4.1.47",
                                                     "1.2.392.200011.61.1.1.1.2",
                                                     "1.2.392.200011.61.1.1.1.3",
                                                     "1.2.392.200011.61.1.1.1.4"};
  return std::ranges::any_of(
      kOthers, [&](std::string_view other) { return std::ranges::equal(der::oid(other), oid); });
}

void add(SmimeCapabilities& known, const Capability& capability) {
  if (const auto* wrap = find(known_key_wraps(), capability.oid)) {
    if (plain(capability)) {
      known.key_wraps.push_back(*wrap);
    }
  } else if (const auto* scheme = find(known_key_agreement_schemes(), capability.oid)) {
    add_key_agreement(known, *scheme, capability.parameters);
  } else if (const auto* cipher = find(known_content_ciphers(), capability.oid)) {
    if (plain(capability)) {
      known.content_ciphers.push_back(*cipher);
    }
  } else if (is_other_content_cipher(capability.oid)) {
    known.other_content_ciphers = true;
  } else {
    add_key_transport(known, capability);
  }
}

SmimeCapabilities read_capabilities(ByteView content) {
  SmimeCapabilities known;
  if (content.empty()) {
    refuse("no capability");
  }
  for (std::size_t count = 1; !content.empty(); ++count) {
    if (count > kMaxCapabilities) {
      refuse("too many capabilities");
    }
    add(known, read_capability(der::read(content)));
  }
  return known;
}

}  // namespace

SmimeCapabilities parse_smime_capabilities(ByteView der) {
  if (der.size() > kMaxSize) {
    refuse("over 4 KiB");
  }
  try {
    der::check_structure(der);
    ByteView rest = der;
    const der::Element outer = der::read(rest);
    if (outer.tag != kSequence) {
      refuse("not a SEQUENCE");
    }
    return read_capabilities(outer.value);
  } catch (const Error& error) {
    if (error.id() != "der.malformed") {
      throw;
    }
    refuse(error.detail());
  }
}

}  // namespace estia::crypto
