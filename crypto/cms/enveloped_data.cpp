// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/enveloped_data.h"

#include "crypto/base/der.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kEnvelopedData = "1.2.840.113549.1.7.3";

}  // namespace

Bytes transport_recipient_info(const Bytes& identifier, const Bytes& algorithm,
                               const Bytes& encrypted_key) {
  return der::sequence({der::small_integer(2), der::tlv(0x80, identifier), algorithm,
                        der::octet_string(encrypted_key)});
}

Bytes enveloped_data(const Bytes& recipient_info, std::string_view content_type,
                     const Bytes& algorithm, const Bytes& content) {
  const Bytes encrypted =
      der::sequence({der::oid(content_type), algorithm, der::tlv(0x80, content)});
  const Bytes enveloped =
      der::sequence({der::small_integer(2), der::set_of({recipient_info}), encrypted});
  return der::sequence({der::oid(kEnvelopedData), der::tlv(0xA0, enveloped)});
}

}  // namespace estia::crypto
