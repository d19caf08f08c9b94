// SPDX-License-Identifier: Apache-2.0
#include "server/est/key_delivery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/cms/certs_only.h"
#include "crypto/cms/enveloped_key.h"
#include "crypto/cms/key_package.h"
#include "server/est/key_response.h"
#include "server/est/media_type.h"

namespace estia::est {
namespace {

[[noreturn]] void refuse(const char* id, const char* told, std::string detail = {}) {
  throw Error(ErrorCode::malformed, id, told, std::move(detail));
}

[[noreturn]] void unknown_key(const Bytes& identifier) {
  refuse("serverkeygen.unknown_key", "the key to encrypt with is not known here",
         to_hex(identifier));
}

/// By name only: who takes anything gets what RFC 7030 gives.
bool asks_for_pkcs12(const ca::Alias& alias, const std::optional<std::string>& accept) {
  const bool named = accept && names_media_type(*accept, kPkcs12MediaType);
  if (named && !alias.gives(ca::KeyPackage::pkcs12)) {
    refuse("serverkeygen.pkcs12_off", "no PKCS #12 is made here");
  }
  const bool nothing_else = alias.serverkeygen == std::vector{ca::KeyPackage::pkcs12};
  return named || nothing_else;
}

}  // namespace

void KeyDelivery::replace_signer(Signer signer) {
  auto next = std::make_shared<const Signer>(std::move(signer));
  const std::lock_guard lock(mutex_);
  signer_.swap(next);
}

std::shared_ptr<const KeyDelivery::Signer> KeyDelivery::signer() const {
  const std::lock_guard lock(mutex_);
  return signer_;
}

KeyDelivery::Order KeyDelivery::order(const ca::Alias& alias, const crypto::Csr& csr,
                                      Asking asking) const {
  auto wish = crypto::key_encryption_request(csr);
  const bool pkcs12 = asks_for_pkcs12(alias, asking.accept);
  if (pkcs12 && wish) {
    refuse("serverkeygen.pkcs12_encrypted",
           "PKCS #12 is encrypted by a password, not by the key that the request names");
  }
  if (pkcs12) {
    return {*this, alias, std::move(asking), Order::Pkcs12{}};
  }
  if (!wish) {
    if (!alias.gives(ca::KeyPackage::pkcs8)) {
      refuse("serverkeygen.encryption_required",
             "a key is given out encrypted only: the request must say for which key");
    }
    return {*this, alias, std::move(asking), Order::Plain{}};
  }
  if (alias.gives(ca::KeyPackage::hsm_wrapped)) {
    return {*this, alias, std::move(asking), Order::TokenEncrypted{std::move(*wish)}};
  }
  if (!alias.gives(ca::KeyPackage::cms)) {
    refuse("serverkeygen.encryption_off", "keys are not encrypted here beyond TLS");
  }
  return {*this, alias, std::move(asking), Order::Encrypted{std::move(*wish)}};
}

std::optional<Secret> KeyDelivery::Order::secret_of(ca::DecryptKeyKind kind,
                                                    const Bytes& identifier,
                                                    const std::string& username) const {
  const auto key = find_decrypt_key(delivery_.keys_, username, alias_.name, kind, identifier);
  if (!key) {
    return std::nullopt;
  }
  return Secret(delivery_.sealer_.open(key->value, bound_to(key->name)).view());
}

/// The client's own, which it is sure to have the key of, else a registered one that is still
/// valid.
std::optional<crypto::Certificate> KeyDelivery::Order::certificate_of(
    const Bytes& identifier, const std::string& username) const {
  const auto& chain = asking_.chain;
  if (!chain.empty() && chain.front().subject_key_identifier() == identifier) {
    return chain.front();
  }
  const auto key = find_decrypt_key(delivery_.keys_, username, alias_.name,
                                    ca::DecryptKeyKind::certificate, identifier);
  if (!key) {
    return std::nullopt;
  }
  crypto::Certificate certificate = registered_certificate(*key);
  const Instant now = delivery_.clock_.now();
  const bool valid = now >= certificate.not_before() && now <= certificate.not_after();
  return valid ? std::optional(std::move(certificate)) : std::nullopt;
}

crypto::KeyRecipient KeyDelivery::Order::recipient(const crypto::KeyEncryptionRequest& wish,
                                                   const std::string& username) const {
  if (wish.key == crypto::KeyEncryptionRequest::Key::asymmetric) {
    if (const auto certificate = certificate_of(wish.identifier, username)) {
      return certificate_recipient(wish.identifier, *certificate, wish.capabilities);
    }
  } else if (auto secret = secret_of(ca::DecryptKeyKind::secret, wish.identifier, username)) {
    return secret_key_recipient(wish.identifier, std::move(*secret), wish.capabilities);
  }
  unknown_key(wish.identifier);
}

crypto::TokenRecipient KeyDelivery::Order::token_recipient(const crypto::KeyEncryptionRequest& wish,
                                                           const std::string& username,
                                                           const ca::ServerKeys& keys) const {
  const crypto::TokenEncryption able = keys.encryption();
  if (!able.possible()) {
    throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
                "keys are not encrypted in the token here", keys.refused());
  }
  if (wish.key == crypto::KeyEncryptionRequest::Key::secret) {
    refuse("serverkeygen.hsm_wrapped_kind", "keys are encrypted for RSA certificates only");
  }
  const auto certificate = certificate_of(wish.identifier, username);
  if (!certificate) {
    unknown_key(wish.identifier);
  }
  return crypto::token_recipient(wish.identifier, *certificate, wish.capabilities, able);
}

void KeyDelivery::Order::prepare(const std::string& username, const ca::ServerKeys& keys) {
  if (auto* encrypted = std::get_if<Encrypted>(&form_)) {
    encrypted->recipient = recipient(encrypted->wish, username);
  } else if (auto* in_token = std::get_if<TokenEncrypted>(&form_)) {
    in_token->recipient = token_recipient(in_token->wish, username, keys);
  } else if (auto* pkcs12 = std::get_if<Pkcs12>(&form_)) {
    auto password = secret_of(ca::DecryptKeyKind::password, {}, username);
    if (!password) {
      refuse("serverkeygen.no_password", "no password for PKCS #12 is known here");
    }
    const auto same = [&](const Secret& credential) {
      return std::ranges::equal(credential.view(), password->view());
    };
    if (std::ranges::any_of(asking_.credentials, same)) {
      refuse("serverkeygen.password_is_credential",
             "the password of PKCS #12 must not be one that the client authenticates with");
    }
    pkcs12->password = std::move(*password);
  }
  require_client();
}

crypto::PublicKey KeyDelivery::Order::take(ca::ServerKeys& keys, const crypto::KeySpec& spec) {
  if (const auto* in_token = std::get_if<TokenEncrypted>(&form_)) {
    const auto& recipient = in_token->recipient.value();
    ca::EncryptedServerKey made = keys.generate_for(spec, recipient);
    packed_ = crypto::token_envelope(in_token->wish.identifier, recipient, made.key);
    require_client();
    return std::move(made.public_key);
  }
  ca::ServerKey made = keys.generate(spec);
  pack(std::move(made.private_key));
  require_client();
  return std::move(made.public_key);
}

void KeyDelivery::Order::pack(SecureBytes private_key) {
  if (const auto* encrypted = std::get_if<Encrypted>(&form_)) {
    const auto signer = delivery_.signer();
    packed_ = crypto::enveloped_key(
        crypto::signed_key_package(private_key, signer->key, signer->certificate,
                                   delivery_.clock_.now()),
        encrypted->recipient.value());
  } else if (const auto* pkcs12 = std::get_if<Pkcs12>(&form_)) {
    packed_ = crypto::shroud_key(private_key, pkcs12->password);
  } else {
    packed_ = std::move(private_key);
  }
}

/// No 503: nobody hears it, and who hangs up must not raise the operator's alarms. It is audited as
/// a refusal, with who it was.
void KeyDelivery::Order::require_client() const {
  if (asking_.client_gone && asking_.client_gone()) {
    throw Error(ErrorCode::conflict, "serverkeygen.client_gone", "the client is gone");
  }
}

http::Response KeyDelivery::Order::response(const crypto::IssuedCertificate& certificate) {
  http::Response response;
  response.holds_key = true;
  if (const auto* key = std::get_if<crypto::ShroudedKey>(&packed_)) {
    response.headers.add("Content-Type", std::string(kPkcs12MediaType));
    response.headers.add("Content-Transfer-Encoding", "base64");
    response.body = base64_encode(crypto::pkcs12(*key, certificate.parsed())) + "\n";
    return response;
  }
  const auto* plain = std::get_if<SecureBytes>(&packed_);
  const Bytes certs_only = crypto::certs_only(std::vector<Bytes>{certificate.der()});
  KeyResponse made = plain != nullptr
                         ? key_response(KeyForm::pkcs8, plain->view(), certs_only)
                         : key_response(KeyForm::encrypted, std::get<Bytes>(packed_), certs_only);
  response.headers.add("Content-Type", std::move(made.content_type));
  if (plain != nullptr) {
    response.secret_body = std::make_shared<const SecureBytes>(std::move(made.secret_body));
  } else {
    response.body = std::move(made.body);
  }
  return response;
}

std::string KeyDelivery::Order::text() const {
  if (std::holds_alternative<Plain>(form_)) {
    return "pkcs8";
  }
  if (std::holds_alternative<Pkcs12>(form_)) {
    return "pkcs12";
  }
  if (const auto* in_token = std::get_if<TokenEncrypted>(&form_)) {
    return "hsm-wrapped for RSA key " + to_hex(in_token->wish.identifier);
  }
  const auto& recipient = std::get<Encrypted>(form_).recipient.value();
  using crypto::KeyRecipient;
  const char* how = std::holds_alternative<KeyRecipient::SecretKey>(recipient.method)
                        ? "secret key "
                    : std::holds_alternative<KeyRecipient::Transport>(recipient.method) ? "RSA key "
                                                                                        : "EC key ";
  return std::string("cms for ") + how + to_hex(recipient.identifier);
}

}  // namespace estia::est
