// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/bytes.h"

namespace estia::crypto {

/// KeyTransRecipientInfo (RFC 5652 6.2.1), version 2, with rid = [0] subjectKeyIdentifier.
[[nodiscard]] Bytes transport_recipient_info(const Bytes& identifier, const Bytes& algorithm,
                                             const Bytes& encrypted_key);

/// A DER ContentInfo with EnvelopedData of version 2 for one recipient: `algorithm` encrypted the
/// `content` of that type (an OID).
[[nodiscard]] Bytes enveloped_data(const Bytes& recipient_info, std::string_view content_type,
                                   const Bytes& algorithm, const Bytes& content);

}  // namespace estia::crypto
