// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace estia {

/// What kind of failure it is. server/http holds the only mapping of these to an HTTP status, admin
/// the only one to an exit code.
enum class ErrorCode {
  malformed,          ///< the input is not what the protocol says (HTTP 400)
  unauthenticated,    ///< no or wrong credentials (401 with a challenge, 403 where there is nothing
                      ///< to challenge with)
  forbidden,          ///< known who, but not allowed (403)
  not_found,          ///< no such thing (404)
  unsupported_media,  ///< wrong content type (415)
  too_large,          ///< over a size limit (413)
  conflict,           ///< the state of the CA does not allow it, e.g. a name that is taken (409)
  too_many,           ///< rate limit or back-off (429 + Retry-After)
  busy,               ///< a bounded resource is exhausted; retry later (503 + Retry-After)
  token,              ///< the HSM failed or is gone; retry later (503 + Retry-After)
  store,              ///< the database failed or is full; retry later (503 + Retry-After)
  config,             ///< the operator's configuration or command is wrong (never reaches a peer)
  internal,           ///< our defect (500)
};

/// What went wrong, in two voices: what() may be shown to the peer, detail() is for the log and the
/// audit record only. `id` is stable and dotted ("csr.signature_invalid"); docs/messages.md lists
/// every one. No voice ever holds a secret.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string id, const std::string& told_to_peer, std::string detail = {});

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

 private:
  ErrorCode code_;
  std::string id_;
  std::string detail_;
};

/// The name of the category, for logs ("malformed", "token", ...).
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

}  // namespace estia
