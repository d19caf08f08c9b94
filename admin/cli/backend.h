// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/secret.h"

namespace estia::admin {

/// What a change of the configuration did, or would do.
struct Changes {
  std::uint64_t version = 0;
  std::vector<std::string> added{};
  std::vector<std::string> changed{};
  std::vector<std::string> removed{};
  std::vector<std::string> warnings{};
};

/// A password file that a document names.
struct WantedPassword {
  std::string alias{};
  std::string user{};
  std::string file{};
  bool generated = false;  ///< says the document; otherwise somebody chose it
};

struct Checked {
  Changes changes{};
  std::vector<WantedPassword> needs{};
  std::string diff{};
};

struct GivenPassword {
  std::string alias{};
  std::string user{};
  Secret password{};
};

/// A document with all it takes to put it in force.
struct Replacement {
  std::string document{};
  std::string source{};
  std::vector<GivenPassword> passwords{};
  std::uint64_t replaces = 0;
};

/// Where commands are carried out: by the running estiad, or on the state directory of a stopped
/// one. Every call throws Error with the reason for a refusal, or CLI::ValidationError where an
/// option was misused.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual Checked check(const std::string& document, const std::string& source) = 0;
  [[nodiscard]] virtual Changes replace(const Replacement& wanted) = 0;
  [[nodiscard]] virtual std::string exported_configuration() = 0;
  /// Returns the serial as it is recorded.
  [[nodiscard]] virtual std::string revoke(const std::string& serial,
                                           const std::string& reason) = 0;
};

/// For a state directory whose estiad is stopped; opened by the first call.
using OpenOffline = std::function<std::unique_ptr<Backend>(const std::filesystem::path&)>;

}  // namespace estia::admin
