// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "hsm/token.h"
#include "server/ca/ca_keys.h"

namespace estia::app {

/// The signing keys of the CAs that an alias names, found in the token before a configuration is in
/// force: a wrong or missing key stops the change. At the start it keeps that CA offline, until the
/// key is there, and the others are served. The root's
/// key is not looked for, so that it may be elsewhere. Any thread.
class TokenCaKeys final : public ca::CaKeys {
 public:
  /// A label may get another key, for another CA certificate, while requests use the old one.
  using Name = std::pair<std::string, Bytes>;  ///< key URI, fingerprint of the public key
  using Found = std::map<Name, crypto::PrivateKey>;

  /// The token with that key (Tokens::of).
  using TokenOf = std::function<hsm::Token&(const hsm::KeyUri&)>;

  /// Adopts and finds; what is not there yet, or not found within `patience`, is looked for
  /// whenever it is needed, and logged.
  TokenCaKeys(TokenOf token_of, const ca::Snapshot& snapshot, std::chrono::milliseconds patience);

  /// All keys of `snapshot` as they are in the token; none of them can be used yet. Throws what
  /// hsm::Token::key throws, with the CA's name.
  [[nodiscard]] Found find(const ca::Snapshot& snapshot) const;

  /// Makes them available. Those of earlier configurations stay until keep_only(): requests in
  /// flight go on with what they started with.
  void adopt(Found found) noexcept;
  /// Lets go of all other keys: no request uses an earlier configuration any more. At once; not
  /// while adopt() may be called, of what is not in that snapshot yet.
  void keep_only(const ca::Snapshot& snapshot) noexcept;

  /// Throws Error{internal, "ca_keys.missing"} for a CA that no alias names.
  [[nodiscard]] crypto::PrivateKey key_for(const ca::CertificationAuthority& ca) const override;
  void distrust(const ca::CertificationAuthority& ca) const noexcept override;

  /// Whether all that the constructor and keep_only() began has ended.
  [[nodiscard]] bool idle() const;

 private:
  /// A key that the constructor has still to find, and whose.
  struct Wanted {
    const ca::CertificationAuthority* authority;
    std::function<void()> find;
  };
  using WantedOfTokens = std::map<const hsm::Token*, std::vector<Wanted>>;
  struct Search {
    const ca::CertificationAuthority* authority;
    std::future<void> found;
  };

  [[nodiscard]] WantedOfTokens adopt_later(const ca::Snapshot& snapshot);
  [[nodiscard]] std::vector<Search> search(WantedOfTokens wanted);
  [[nodiscard]] crypto::PrivateKey later(const ca::CertificationAuthority& ca) const;

  const TokenOf token_of_;
  mutable std::shared_mutex mutex_;  ///< guards what follows; never held across a token call
  mutable Found keys_;
  std::future<void> letting_go_;  ///< of keep_only()
  std::set<Name> offline_;  ///< nothing could be said of their tokens at the start; then unchanged
  std::vector<std::future<void>> searching_;  ///< of the constructor, one for each token
};

}  // namespace estia::app
