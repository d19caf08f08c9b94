// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_reports.h"

#include <initializer_list>
#include <string>
#include <utility>

namespace estia::app {
namespace {

/// For people. Empty: none is.
std::string text_of(const crypto::TokenEncryption& encryption) {
  std::string text;
  if (!encryption.possible()) {
    return text;
  }
  for (const crypto::TokenCipher cipher : encryption.ciphers) {
    text += cipher == crypto::TokenCipher::aes256_cbc ? "AES-256-CBC, " : "AES-256-WRAP-PAD, ";
  }
  text += "RSAES-OAEP with";
  for (const std::string& digest : encryption.oaep_digests) {
    text += " " + digest;
  }
  return text;
}

const char* name_of(hsm::TokenState state) {
  switch (state) {
    case hsm::TokenState::attached:
      return "attached";
    case hsm::TokenState::recovering:
      return "recovering";
    case hsm::TokenState::pin_refused:
      return "PIN refused";
    case hsm::TokenState::pin_awaited:
      return "PIN awaited";
    case hsm::TokenState::away:
      break;
  }
  return "away";
}

/// The words that apply.
std::vector<std::string> words_of(std::initializer_list<std::pair<bool, const char*>> all) {
  std::vector<std::string> words;
  for (const auto& [applies, word] : all) {
    if (applies) {
      words.emplace_back(word);
    }
  }
  return words;
}

/// What a CA's key should be, and what it is besides.
std::vector<std::string> attributes_of(const hsm::KeyAttributes& key) {
  return words_of({{key.sensitive, "sensitive"},
                   {key.always_sensitive, "always sensitive"},
                   {key.extractable, "extractable"},
                   {key.never_extractable, "never extractable"},
                   {key.local, "made in the token"},
                   {key.sign, "sign"},
                   {key.sign_recover, "sign recover"},
                   {key.decrypt, "decrypt"},
                   {key.unwrap, "unwrap"},
                   {key.derive, "derive"},
                   {key.always_authenticate, "always authenticate"}});
}

/// The CAs whose configuration names this key.
std::vector<std::string> cas_of(const std::string& key, const ca::Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const auto& [name, authority] : snapshot.cas) {
    if (hsm::KeyUri::parse(authority.key_uri).text() == key) {
      names.push_back(name);
    }
  }
  return names;
}

api::TokenKeyStatus report_of(const hsm::KeyReport& key, const ca::Snapshot& snapshot) {
  api::TokenKeyStatus report{.key = key.uri,
                             .cas = cas_of(key.uri, snapshot),
                             .kind = key.kind,
                             .ready = key.ready,
                             .why = key.why};
  if (key.attributes) {
    report.attributes = attributes_of(*key.attributes);
    report.shortcomings = shortcomings_of(*key.attributes);
  }
  return report;
}

}  // namespace

std::vector<std::string> shortcomings_of(const hsm::KeyAttributes& key) {
  const bool more = key.sign_recover || key.decrypt || key.unwrap || key.derive;
  return words_of({{!key.sensitive, "not sensitive"},
                   {key.extractable, "extractable"},
                   {!key.never_extractable, "was extractable once, or was imported"},
                   {!key.local, "not made in the token"},
                   {!key.sign, "may not sign"},
                   {more, "may do more than sign"},
                   {key.always_authenticate, "wants a login for each signature"}});
}

api::TokenStatus report_of(const SeenToken& seen, const ca::Snapshot& snapshot) {
  api::TokenStatus report{.name = seen.name, .state = "does not answer"};
  for (const hsm::KeyReport& key : seen.keys) {
    report.keys.push_back(report_of(key, snapshot));
  }
  if (!seen.status) {
    return report;
  }
  report.state = name_of(seen.status->state);
  report.why = seen.status->why;
  report.present = seen.status->present;
  report.logged_in = seen.status->logged_in;
  report.label = seen.status->label;
  report.serial = seen.status->serial;
  report.sessions_open = seen.status->sessions_open;
  report.sessions_in_use = seen.status->sessions_in_use;
  report.sessions_cap = seen.status->sessions_cap;
  report.new_sessions = seen.status->new_sessions;
  report.logins = seen.status->logins;
  report.restarts = seen.status->restarts;
  return report;
}

api::ServerKeygenStatus report_of(const hsm::ServerKeysStatus& keys) {
  return {.mechanism = keys.mechanism,
          .wrapping_key = keys.wrapping_key,
          .hsm_wrapped = text_of(keys.encryption),
          .ed25519 = keys.ed25519,
          .refused = keys.refused,
          .running = keys.running,
          .stock = keys.stock,
          .stock_failure = keys.stock_failure,
          .delivered = keys.delivered,
          .destroyed = keys.destroyed};
}

}  // namespace estia::app
