// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/secret.h"
#include "hsm/token.h"
#include "server/app/monitoring.h"
#include "server/app/process_config.h"
#include "server/app/token_events.h"

namespace estia::app {

/// PINs that somebody typed at the start, by the token's name.
using BroughtPins = std::map<std::string, Secret>;

/// The tokens of this process. Each has a login, sessions and a recovery of its own: what becomes
/// of one is nothing to the keys in another, unless they share a module that must be restarted. Any
/// thread.
class Tokens final {
 public:
  /// What the configuration's [token] is called among the others.
  static constexpr const char* kMain = ProcessConfig::kMainToken;

  /// Attaches to all of them, with one attempt each; those that are away or refuse their PIN are
  /// waited for, and of several also those whose module or PIN is not there.
  /// Throws Error{config} as hsm::Token::attach.
  Tokens(const ProcessConfig& config, TokenEvents& events, BroughtPins pins);

  /// Throws Error{not_found, "token.unknown"} for a name that the configuration does not have.
  [[nodiscard]] hsm::Token& named(const std::string& name) const;
  /// Of the main one and of serverkeygen.
  [[nodiscard]] hsm::Token& main() const { return named(kMain); }
  [[nodiscard]] hsm::Token& for_server_keys() const { return named(server_keys_); }

  /// The only token that may have a key of that name; with one token it is that one. Throws
  /// Error{config, "token.uri_other_token"} for none, Error{config, "token.uri_ambiguous"} for
  /// several: the name must tell them apart by token or serial.
  [[nodiscard]] hsm::Token& of(const hsm::KeyUri& uri) const;

  /// The longest that one of them may be silent (call_limit).
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return patience_; }

  [[nodiscard]] bool several() const noexcept { return tokens_.size() > 1; }
  /// Those in use, by the name of their token. Makes no call to a token.
  [[nodiscard]] std::map<std::string, std::vector<hsm::KeyReport>> keys() const;
  /// As monitoring and operators see them, by name; the main one first.
  [[nodiscard]] std::vector<SeenToken> look();
  /// What was seen until now is not told any more: an order may have changed it.
  void look_anew();
  /// Whether none of these looks is out.
  [[nodiscard]] bool idle() const;

 private:
  struct One {
    std::string name;
    std::shared_ptr<hsm::Token> token;
    std::unique_ptr<TokenProbe> probe;
  };
  void add(const std::string& name, std::future<std::shared_ptr<hsm::Token>>& attached);

  std::vector<One> tokens_;
  std::string server_keys_;
  std::chrono::milliseconds patience_{0};
};

/// What can be said of a key's name without a token: Error{config, "token.uri_ambiguous" |
/// "token.uri_other_token"} if two tokens of the configuration, or none, are the one that it names.
/// Labels and serials that the configuration leaves open may be any.
void check_key_place(const ProcessConfig& config, const hsm::KeyUri& uri);

}  // namespace estia::app
