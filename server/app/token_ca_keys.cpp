// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_ca_keys.h"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "crypto/base/error.h"
#include "server/app/own_thread.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

Error of_ca(const ca::CertificationAuthority& authority, const Error& error) {
  const std::string ca = "CA '" + authority.name + "': ";
  if (error.id() == "token.key_changed") {
    return {ErrorCode::config, "ca_keys.mismatch",
            ca + "the key " + authority.key_uri + " is not the key of its certificate"};
  }
  if (error.id() == "token.key_extractable") {
    return {ErrorCode::config, "ca_keys.extractable",
            ca + "the key " + authority.key_uri + " can leave the token"};
  }
  if (error.id() == "token.key_always_authenticate") {
    return {ErrorCode::config, "ca_keys.always_authenticate",
            ca + "the key " + authority.key_uri + " wants a login for each signature"};
  }
  return {error.code(), error.id(), ca + error.what(), error.detail()};
}

crypto::PrivateKey find_key(const TokenCaKeys::TokenOf& token_of,
                            const ca::CertificationAuthority& authority) {
  try {
    const hsm::KeyUri uri = hsm::KeyUri::parse(authority.key_uri);
    return token_of(uri).key(uri, authority.certificate().public_key());
  } catch (const Error& error) {
    throw of_ca(authority, error);
  }
}

void say_offline(const ca::CertificationAuthority& authority, const Error& error) {
  const Error why = of_ca(authority, error);
  ops::log(
      ops::Level::error, "ca.offline",
      {{"ca", authority.name}, {"id", why.id()}, {"reason", why.what()}, {"detail", why.detail()}});
}

std::pair<std::string, Bytes> name_of(const ca::CertificationAuthority& authority) {
  return {authority.key_uri, authority.certificate().public_key().fingerprint()};
}

}  // namespace

TokenCaKeys::TokenCaKeys(TokenOf token_of, const ca::Snapshot& snapshot,
                         std::chrono::milliseconds patience)
    : token_of_(std::move(token_of)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (Search& one : search(adopt_later(snapshot))) {
    try {
      answer_of(one.found, end, "its key is still being looked for");
    } catch (const Error& error) {
      say_offline(*one.authority, error);
    }
  }
}

/// All whose token is known.
TokenCaKeys::WantedOfTokens TokenCaKeys::adopt_later(const ca::Snapshot& snapshot) {
  WantedOfTokens wanted;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    const Name name = name_of(*authority);
    if (keys_.contains(name) || offline_.contains(name)) {
      continue;
    }
    try {
      const hsm::KeyUri uri = hsm::KeyUri::parse(authority->key_uri);
      hsm::Token& token = token_of_(uri);
      hsm::LateKey late = token.key_later(uri, authority->certificate().public_key());
      keys_.emplace(name, std::move(late.key));
      wanted[&token].push_back({authority, std::move(late.find)});
    } catch (const Error& error) {
      say_offline(*authority, error);
      offline_.insert(name);
    }
  }
  return wanted;
}

/// In a thread for each token: nothing brings a call of a module back.
std::vector<TokenCaKeys::Search> TokenCaKeys::search(WantedOfTokens wanted) {
  std::vector<Search> searches;
  for (auto& [token, its] : wanted) {
    std::vector<std::packaged_task<void()>> finds;
    for (Wanted& key : its) {
      finds.emplace_back(std::move(key.find));
      searches.push_back({key.authority, finds.back().get_future()});
    }
    searching_.push_back(in_own_thread([finds = std::move(finds)]() mutable {
      for (auto& find : finds) {
        find();
      }
      finds.clear();  // the future would keep what they hold: a key that may be replaced by then
    }));
  }
  return searches;
}

bool TokenCaKeys::idle() const {
  const std::shared_lock lock(mutex_);
  return std::ranges::all_of(searching_, [](const auto& search) { return is_back(search); }) &&
         (!letting_go_.valid() || is_back(letting_go_));
}

TokenCaKeys::Found TokenCaKeys::find(const ca::Snapshot& snapshot) const {
  Found found;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    if (Name name = name_of(*authority); !found.contains(name)) {
      found.emplace(std::move(name), find_key(token_of_, *authority));
    }
  }
  return found;
}

void TokenCaKeys::adopt(Found found) noexcept {
  const std::unique_lock lock(mutex_);  // what is replaced is freed after it, in `found`
  found.merge(keys_);                   // moves nodes: nothing that could fail once it is stored
  keys_.swap(found);
}

/// In a thread of its own: a key's end is a call to its token.
void TokenCaKeys::keep_only(const ca::Snapshot& snapshot) noexcept {
  try {
    std::set<Name> served;
    for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
      served.insert(name_of(*authority));
    }
    const auto gone = std::make_shared<Found>();  // if no thread begins nothing goes
    std::unique_lock lock(mutex_);
    const bool all =
        std::ranges::all_of(keys_, [&](const auto& held) { return served.contains(held.first); });
    if (all || (letting_go_.valid() && !is_back(letting_go_))) {
      return;
    }
    for (auto held = keys_.begin(); held != keys_.end();) {
      const auto next = std::next(held);
      if (!served.contains(held->first)) {
        gone->insert(keys_.extract(held));
      }
      held = next;
    }
    lock.unlock();
    try {
      auto going = in_own_thread([gone] { gone->clear(); });
      lock.lock();
      letting_go_ = std::move(going);
    } catch (const std::exception&) {
      lock.lock();
      keys_.merge(*gone);
    }
  } catch (const std::exception&) {
    // No memory: they are reported a while longer.
  }
}

crypto::PrivateKey TokenCaKeys::key_for(const ca::CertificationAuthority& ca) const {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = keys_.find(name_of(ca)); found != keys_.end()) {
      return found->second;
    }
  }
  if (!offline_.contains(name_of(ca))) {
    throw Error(ErrorCode::internal, "ca_keys.missing", "internal error",
                "no key was resolved for CA '" + ca.name + "'");
  }
  crypto::PrivateKey key = later(ca);
  const std::unique_lock lock(mutex_);
  return keys_.emplace(name_of(ca), std::move(key)).first->second;
}

/// Which token it is in may be known by now. What its name lacks is the operator's to know.
crypto::PrivateKey TokenCaKeys::later(const ca::CertificationAuthority& ca) const {
  try {
    const hsm::KeyUri uri = hsm::KeyUri::parse(ca.key_uri);
    return token_of_(uri).key_later(uri, ca.certificate().public_key()).key;
  } catch (const Error& error) {
    throw Error(ErrorCode::token, error.id(), "the CA cannot sign now; retry later",
                "CA '" + ca.name + "': " + error.what());
  }
}

void TokenCaKeys::distrust(const ca::CertificationAuthority& ca) const noexcept {
  try {
    ops::log(ops::Level::error, "ca.wrong_signature", {{"ca", ca.name}, {"key", ca.key_uri}});
    const hsm::KeyUri uri = hsm::KeyUri::parse(ca.key_uri);
    token_of_(uri).distrust(uri, ca.certificate().public_key());
  } catch (const std::exception&) {
    // No memory: the next wrong signature comes here again.
  }
}

}  // namespace estia::app
