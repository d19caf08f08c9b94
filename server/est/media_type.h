// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace estia::est {

/// Of an answer with one certificate (EST-4.2.3-a), or the part of one.
inline constexpr std::string_view kCertsOnlyMediaType =
    "application/pkcs7-mime; smime-type=certs-only";
/// Of an answer of serverkeygen with key and certificate in one (RFC 8295).
inline constexpr std::string_view kPkcs12MediaType = "application/pkcs12";

/// The type of a Content-Type field in lower case ("application/pkcs10"), without its parameters
/// (EST-3.2.4-a). nullopt when the value is no media type (RFC 9110 8.3.1).
[[nodiscard]] std::optional<std::string> media_type(std::string_view content_type);

/// Whether an Accept field (RFC 9110 12.5.1) lists this very type, in lower case: no range, and not
/// to refuse it by q=0.
[[nodiscard]] bool names_media_type(std::string_view accept, std::string_view type);

}  // namespace estia::est
