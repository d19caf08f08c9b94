// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/certificate_builder.h"

#include <algorithm>
#include <set>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension_list.h"
#include "crypto/x509/time_element.h"

namespace estia::crypto {
namespace {

[[noreturn]] void refuse(const char* why) {
  throw Error(ErrorCode::internal, "certificate.contents", "internal error", why);
}

void check(const CertificateContents& contents) {
  const Bytes& serial = contents.serial;
  const bool all_zero =
      std::all_of(serial.begin(), serial.end(), [](auto octet) { return octet == 0; });
  if (serial.empty() || serial.size() > 20 || (serial[0] & 0x80U) != 0 || all_zero) {
    refuse("serial number");
  }
  if (contents.issuer.empty()) {
    refuse("empty issuer");
  }
  if (contents.not_after < contents.not_before) {
    refuse("validity ends before it begins");
  }
  std::set<std::string> seen;
  for (const Extension& extension : contents.extensions) {
    if (!seen.insert(extension.oid).second) {
      refuse("an extension stands twice");
    }
  }
}

/// The serial number's magnitude. A TBS may come back from the store: it is one element, with
/// version and serial number where v3 has them.
Bytes serial_of(ByteView tbs) {
  try {
    const der::Element outer = der::read(tbs);
    ByteView content = outer.value;
    const der::Element version = der::read(content);
    const der::Element serial = der::read(content);
    if (outer.tag == 0x30 && tbs.empty() && version.tag == 0xA0 && serial.tag == 0x02) {
      const auto first = std::ranges::find_if(serial.value, [](auto b) { return b != 0; });
      return {first, serial.value.end()};
    }
  } catch (const Error&) {
    // as for every other shape
  }
  throw Error(ErrorCode::malformed, "certificate.malformed", "the certificate is malformed",
              "what was to be signed is no TBSCertificate");
}

}  // namespace

Bytes build_tbs(const CertificateContents& contents, const SignatureAlgorithm& algorithm) {
  check(contents);
  // TBSCertificate, RFC 5280 4.1
  const Bytes version = der::tlv(0xA0, der::small_integer(2));
  const Bytes serial = der::integer(contents.serial);
  const Bytes validity =
      der::sequence({time_element(contents.not_before), time_element(contents.not_after)});
  const Bytes extensions = contents.extensions.empty()
                               ? Bytes()
                               : der::tlv(0xA3, encode_extensions(contents.extensions));
  return der::sequence({version, serial, algorithm.algorithm_identifier, contents.issuer.der(),
                        validity, contents.subject.der(), contents.public_key.spki(), extensions});
}

IssuedCertificate assemble_certificate(ByteView tbs, const SignatureAlgorithm& algorithm,
                                       ByteView signature) {
  return {serial_of(tbs),
          der::sequence({tbs, algorithm.algorithm_identifier, der::bit_string(signature)})};
}

}  // namespace estia::crypto
