// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/e2e/support/curl_handle.h"

namespace estia::e2e {

/// A connection to the management socket that stays open, for tests that ask hundreds of questions.
class ManagementSocket final {
 public:
  explicit ManagementSocket(std::string path);

  /// Status and JSON. Throws std::runtime_error without an answer.
  [[nodiscard]] std::pair<int, nlohmann::json> post(const std::string& path,
                                                    const nlohmann::json& body);
  /// What must succeed; throws std::runtime_error with the answer otherwise.
  nlohmann::json post_ok(const std::string& path, const nlohmann::json& body);

 private:
  const std::string path_;
  CurlHandle curl_;
};

}  // namespace estia::e2e
