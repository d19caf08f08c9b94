// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace estia::est {

/// Of an answer with one certificate (EST-4.2.3-a), or the part of one.
inline constexpr std::string_view kCertsOnlyMediaType =
    "application/pkcs7-mime; smime-type=certs-only";

/// The type of a Content-Type field in lower case ("application/pkcs10"), without its parameters
/// (EST-3.2.4-a). nullopt when the value is no media type (RFC 9110 8.3.1).
[[nodiscard]] std::optional<std::string> media_type(std::string_view content_type);

}  // namespace estia::est
