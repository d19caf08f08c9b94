// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {

/// One part of a multipart/mixed answer, as it came.
struct Part {
  std::string head;  ///< its header lines, with CRLF
  Bytes content;     ///< decoded
};

/// The parts of an answer of serverkeygen, by RFC 2046 and nothing of our own. Throws
/// std::runtime_error for what is no multipart/mixed.
[[nodiscard]] std::vector<Part> parts_of(const Answer& answer);

/// Key and certificate as files, as openssl reads them.
struct KeyAnswer {
  std::filesystem::path key;          ///< as it came: DER of PrivateKeyInfo, or of the CMS
  std::filesystem::path certificate;  ///< PEM
};
[[nodiscard]] KeyAnswer save_parts(const EstClient& client, const Answer& answer);

}  // namespace estia::e2e
