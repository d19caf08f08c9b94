// SPDX-License-Identifier: Apache-2.0
#include "server/app/tokens.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "hsm/pin_marker.h"

namespace estia::app {
namespace {

hsm::PinSource pin_source(const std::string& name, const ProcessConfig::Token& token,
                          BroughtPins& pins) {
  switch (token.pin_from) {
    case ProcessConfig::PinFrom::file:
      return {.file = token.pin_file};
    case ProcessConfig::PinFrom::credential:
      return {.file = {}, .credential = token.pin_credential};
    case ProcessConfig::PinFrom::operators:
      break;
  }
  auto held = std::make_shared<hsm::HeldPin>();
  if (const auto brought = pins.find(name); brought != pins.end()) {
    held->take(std::move(brought->second));
    hsm::PinMarker(token.pin_marker).clear();  // it is an order to try this one
  }
  return {.file = {}, .credential = {}, .held = std::move(held)};
}

bool may_be(const std::string& wanted, const std::string& known) {
  return wanted.empty() || known.empty() || wanted == known;
}

/// Nothing that is known of the token says otherwise.
bool may_have(const hsm::TokenInfo& token, const hsm::KeyUri& uri) {
  return may_be(uri.token(), token.label) && may_be(uri.serial(), token.serial) &&
         may_be(uri.manufacturer(), token.manufacturer) && may_be(uri.model(), token.model);
}

/// Whatever else is found out of the token.
bool has_surely(const hsm::TokenInfo& token, const hsm::KeyUri& uri) {
  const auto is = [](const std::string& wanted, const std::string& known) {
    return wanted.empty() || wanted == known;
  };
  return is(uri.token(), token.label) && is(uri.serial(), token.serial) &&
         is(uri.manufacturer(), token.manufacturer) && is(uri.model(), token.model);
}

/// What is known of it before it was seen.
hsm::TokenInfo as_configured(const ProcessConfig::Token& token) {
  hsm::TokenInfo known;
  known.label = token.label;
  known.serial = token.serial;
  return known;
}

/// Of handshakes few are worked on, and where all of them hang nobody gets as far as a request.
std::size_t handshakes_of(const ProcessConfig& config, const ProcessConfig::Token& token) {
  const bool shakes_hands =
      config.est.token_key && may_have(as_configured(token), *config.est.token_key);
  return shakes_hands ? config.limits.shaking_hands() : std::numeric_limits<std::size_t>::max();
}

hsm::TokenConfig token_config(const ProcessConfig& config, const std::string& name,
                              const ProcessConfig::Token& wanted, TokenEvents& events,
                              hsm::PinSource pin) {
  return {.module = wanted.module,
          .init_args = wanted.init_args,
          .label = wanted.label,
          .serial = wanted.serial,
          .pin = std::move(pin),
          .max_sessions = wanted.max_sessions,
          .session_wait = wanted.session_wait,
          .callers = config.limits.workers,
          .handshakes = handshakes_of(config, wanted),
          .call_limit = wanted.call_limit,
          .signing = wanted.signing,
          .others_serve = !config.tokens.empty(),
          .pin_marker = wanted.pin_marker,
          .on_event = events.listener(name)};
}

[[noreturn]] void refuse_two(const std::string& one, const std::string& other,
                             const hsm::KeyUri& uri) {
  throw Error(ErrorCode::config, "token.uri_ambiguous",
              "the tokens '" + one + "' and '" + other +
                  "' may both have the key: its name needs token or serial",
              uri.text());
}

[[noreturn]] void refuse_other(const hsm::KeyUri& uri) {
  throw Error(ErrorCode::config, "token.uri_other_token",
              "the name is of a key in another token than those of the configuration", uri.text());
}

}  // namespace

void check_key_place(const ProcessConfig& config, const hsm::KeyUri& uri) {
  std::string sure;
  bool possible = false;
  const auto look_at = [&](const std::string& name, const ProcessConfig::Token& token) {
    const hsm::TokenInfo known = as_configured(token);
    possible = possible || may_have(known, uri);
    if (!has_surely(known, uri)) {
      return;
    }
    if (!sure.empty()) {
      refuse_two(sure, name, uri);
    }
    sure = name;
  };
  look_at(Tokens::kMain, config.token);
  for (const auto& [name, token] : config.tokens) {
    look_at(name, token);
  }
  if (!possible) {
    refuse_other(uri);
  }
}

/// All at the same time: each may take call_limit to be silent.
Tokens::Tokens(const ProcessConfig& config, TokenEvents& events, BroughtPins pins)
    : server_keys_(config.serverkeygen.token.empty() ? kMain : config.serverkeygen.token) {
  std::vector<std::pair<std::string, std::future<std::shared_ptr<hsm::Token>>>> attached;
  const auto begin = [&](const std::string& name, const ProcessConfig::Token& token) {
    patience_ = std::max(patience_, token.call_limit);
    attached.emplace_back(name, std::async(std::launch::async,
                                           [wanted = token_config(config, name, token, events,
                                                                  pin_source(name, token, pins))] {
                                             return hsm::Token::attach(wanted);
                                           }));
  };
  begin(kMain, config.token);
  for (const auto& [name, token] : config.tokens) {
    begin(name, token);
  }
  for (auto& [name, token] : attached) {
    add(name, token);
  }
}

void Tokens::add(const std::string& name, std::future<std::shared_ptr<hsm::Token>>& attached) {
  try {
    std::shared_ptr<hsm::Token> token = attached.get();
    auto probe = std::make_unique<TokenProbe>(token);
    tokens_.push_back({name, std::move(token), std::move(probe)});
  } catch (const Error& error) {
    throw Error(error.code(), error.id(), "token '" + name + "': " + error.what(), error.detail());
  }
}

hsm::Token& Tokens::named(const std::string& name) const {
  const auto found = std::ranges::find(tokens_, name, &One::name);
  if (found == tokens_.end()) {
    throw Error(ErrorCode::not_found, "token.unknown", "no token is called so here");
  }
  return *found->token;
}

hsm::Token& Tokens::of(const hsm::KeyUri& uri) const {
  if (tokens_.size() == 1) {
    return *tokens_.front().token;
  }
  const One* found = nullptr;
  for (const One& one : tokens_) {
    if (!may_have(one.token->info(), uri)) {
      continue;
    }
    if (found != nullptr) {
      refuse_two(found->name, one.name, uri);
    }
    found = &one;
  }
  if (found == nullptr) {
    refuse_other(uri);
  }
  return *found->token;
}

std::map<std::string, std::vector<hsm::KeyReport>> Tokens::keys() const {
  std::map<std::string, std::vector<hsm::KeyReport>> all;
  for (const One& one : tokens_) {
    all.emplace(one.name, one.token->keys());
  }
  return all;
}

bool Tokens::idle() const {
  return std::ranges::all_of(tokens_, [](const One& one) { return one.probe->idle(); });
}

void Tokens::look_anew() {
  for (const One& one : tokens_) {
    one.probe->look_anew();
  }
}

std::vector<SeenToken> Tokens::look() {
  std::vector<SeenToken> seen;
  for (const One& one : tokens_) {
    seen.push_back({.name = one.name,
                    .status = one.probe->look(),
                    .statistics = one.token->statistics(),
                    .keys = one.token->keys()});
  }
  return seen;
}

}  // namespace estia::app
