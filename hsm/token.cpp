// SPDX-License-Identifier: Apache-2.0
#include "hsm/token.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/checked_key.h"
#include "hsm/key_proof.h"
#include "hsm/key_store.h"
#include "hsm/pkcs11_provider_key.h"
#include "hsm/signing_provider.h"
#include "hsm/token_core.h"
#include "hsm/token_key.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

KeyUri complete_uri(const TokenInfo& token, const KeyPair& pair) {
  const KeyUri named = KeyUri::for_object(token.label, pair.label, pair.id);
  return token.serial.empty() ? named : named.with_serial(token.serial);
}

void check_label(const std::string& label) {
  const bool control = std::ranges::any_of(
      label, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (label.empty() || label.size() > 255 || control) {
    throw Error(ErrorCode::config, "token.label_invalid",
                "a key's label has 1 to 255 bytes and no control characters");
  }
}

crypto::PrivateKey found(LateKey late) {
  late.find();
  return std::move(late.key);
}

}  // namespace

Token::Token(std::shared_ptr<TokenCore> core, std::shared_ptr<Pkcs11Provider> provider)
    : core_(std::move(core)), provider_(std::move(provider)) {}
Token::~Token() = default;

std::shared_ptr<Token> Token::open(const TokenConfig& config) {
  const ErrorQueueGuard queue;
  auto provider = Pkcs11Provider::wanted_by(config);
  return std::shared_ptr<Token>(
      new Token(std::make_shared<TokenCore>(config), std::move(provider)));
}

std::shared_ptr<Token> Token::attach(const TokenConfig& config) {
  const ErrorQueueGuard queue;
  auto provider = Pkcs11Provider::wanted_by(config);
  return std::shared_ptr<Token>(
      new Token(std::make_shared<TokenCore>(config, Recovery::Start::later), std::move(provider)));
}

void Token::require_signing(Signing signing) {
  TokenConfig config;
  config.signing = signing;
  static_cast<void>(Pkcs11Provider::wanted_by(config));
}

crypto::PrivateKey Token::private_key(std::shared_ptr<const TokenKey> key,
                                      SignatureCheck check) const {
  core_->add(key);
  crypto::PublicKey public_half = key->public_key();
  std::shared_ptr<const SigningKey> signs = key;
  if (provider_) {
    signs = std::make_shared<const Pkcs11ProviderKey>(core_, provider_, key);
  }
  if (check == SignatureCheck::ours) {
    signs = std::make_shared<const CheckedKey>(std::move(signs), std::move(key));
  }
  return {make_provider_key(signs), std::move(public_half)};
}

crypto::PrivateKey Token::key(const KeyUri& uri, SignatureCheck check) {
  auto public_half =
      with_session(*core_, SessionKind::read_only, [&](Attachment& attached, auto session) {
        check_is_token(uri, attached.slot().token);
        const Objects objects(attached.module(), session);
        return objects.public_key(find_pair(objects, uri).public_object);
      });
  return found(late_key(uri, std::move(public_half), check, false));
}

crypto::PrivateKey Token::key(const KeyUri& uri, crypto::PublicKey public_half) {
  return found(late_key(uri, std::move(public_half), SignatureCheck::callers, false));
}

LateKey Token::late_key(const KeyUri& uri, crypto::PublicKey public_half, SignatureCheck check,
                        bool with_events) {
  auto token_key = std::make_shared<const TokenKey>(core_, uri, std::move(public_half));
  crypto::PrivateKey key = private_key(token_key, check);
  const auto events = with_events ? TokenKey::Events::told : TokenKey::Events::none;
  auto find = [token_key, key, events, twice = provider_ != nullptr] {
    token_key->find(events);
    if (twice) {  // pkcs11-provider finds it by itself
      prove_key(key, token_key->uri().text());
    }
  };
  return {std::move(key), std::move(find)};
}

LateKey Token::key_later(const KeyUri& uri, crypto::PublicKey public_half) {
  return late_key(uri, std::move(public_half), SignatureCheck::callers, true);
}

crypto::PrivateKey Token::generate(const crypto::KeySpec& spec, const std::string& object_label) {
  check_label(object_label);
  // In one attempt: what a lost token made is not known.
  const std::shared_ptr<Attachment> attached = core_->attachment();
  auto [pair, public_half] =
      with_session(*attached, SessionKind::read_write, [&](CK_SESSION_HANDLE session) {
        const Objects objects(attached->module(), session);
        if (label_in_use(objects, object_label)) {
          throw Error(ErrorCode::conflict, "token.key_exists",
                      "the token already has a key called '" + object_label + "'");
        }
        KeyPair made = generate_pair(attached->module(), session, spec, object_label);
        crypto::PublicKey key = objects.public_key(made.public_object);
        return std::pair(std::move(made), std::move(key));
      });
  const KeyUri uri = complete_uri(attached->slot().token, pair);
  try {  // with no session held: proving needs one, and the pool may be of one
    return key(uri, std::move(public_half));
  } catch (...) {
    destroy(uri);
    throw;
  }
}

KeyUri Token::uri_of(const std::string& object_label) {
  check_label(object_label);
  return with_session(*core_, SessionKind::read_only, [&](Attachment& attached, auto session) {
    const TokenInfo& token = attached.slot().token;
    const KeyUri wanted = KeyUri::for_object(token.label, object_label, {});
    return complete_uri(token, find_pair(Objects(attached.module(), session), wanted));
  });
}

void Token::destroy(const KeyUri& uri) {
  const std::shared_ptr<Attachment> attached = core_->attachment();
  check_is_token(uri, attached->slot().token);
  with_session(*attached, SessionKind::read_write, [&](CK_SESSION_HANDLE session) {
    const Objects objects(attached->module(), session);
    destroy_pair(objects, find_pair(objects, uri));
  });
}

KeyAttributes Token::attributes(const KeyUri& uri) {
  return with_session(*core_, SessionKind::read_only, [&](Attachment& attached, auto session) {
    check_is_token(uri, attached.slot().token);
    const Objects objects(attached.module(), session);
    return read_attributes(objects, find_pair(objects, uri));
  });
}

void Token::activate(std::optional<Secret> pin) {
  core_->recovery().activate(std::move(pin));
}

void Token::distrust(const KeyUri& uri, const crypto::PublicKey& public_half) noexcept {
  try {
    for (const auto& key : core_->keys()) {
      if (key->uri() == uri && key->public_key() == public_half) {
        key->distrust();
      }
    }
  } catch (const std::exception&) {
    // No memory: the next wrong signature comes here again.
  }
}

std::vector<KeyReport> Token::keys() const {
  std::vector<KeyReport> reports;
  for (const auto& key : core_->keys()) {
    reports.push_back(key->report());
  }
  return reports;
}

TokenStatistics::Counts Token::statistics() const {
  return core_->recovery().statistics().counts();
}

TokenInfo Token::info() const {
  if (const auto attached = core_->recovery().last_attachment()) {
    return attached->slot().token;
  }
  const TokenStatus configured = core_->recovery().status();
  TokenInfo info;
  info.label = configured.label;
  info.serial = configured.serial;
  return info;
}

TokenStatus Token::probe() {
  const ErrorQueueGuard queue;
  const TokenStatus status = core_->status();
  if (status.state == TokenState::attached) {
    for (const auto& key : core_->keys()) {
      key->find_if_due();
    }
  }
  return status;
}

}  // namespace estia::hsm
