// SPDX-License-Identifier: Apache-2.0
#include "server/provision/decrypt_key.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/password_rules.h"
#include "crypto/cms/key_recipient.h"
#include "crypto/x509/certificate.h"

namespace estia::provision {
namespace {

constexpr std::size_t kLongestIdentifier = 255;

[[noreturn]] void refuse(const char* id, const std::string& why) {
  throw Error(ErrorCode::config, id, why);
}

void check_secret(const DecryptKeyPlan& plan) {
  if (plan.identifier.empty() || plan.identifier.size() > kLongestIdentifier) {
    refuse("decrypt_key.identifier", "an identifier has 1 to 255 bytes");
  }
  const std::size_t size = plan.secret.size();
  if (size != 16 && size != 24 && size != 32) {
    refuse("decrypt_key.secret", "a secret key is an AES key of 16, 24 or 32 bytes");
  }
  const auto first = plan.secret.view().front();
  if (std::ranges::all_of(plan.secret.view(), [&](std::uint8_t byte) { return byte == first; })) {
    refuse("decrypt_key.secret", "a secret key is random: this one repeats one byte");
  }
}

/// Who takes the file away can guess at leisure. Beyond ASCII, PKCS #12 programs do not agree on
/// how a password is written (RFC 7292 B.1).
void check_password(const DecryptKeyPlan& plan) {
  const bool ascii =
      std::ranges::all_of(plan.secret.text(), [](char c) { return c >= ' ' && c <= '~'; });
  const auto weakness = password_weakness(plan.secret.text(), PasswordOrigin::chosen);
  if (weakness || !ascii) {
    refuse("decrypt_key.password",
           "a password must be " + std::string(weakness.value_or("of ASCII characters")));
  }
}

/// Its identifier is what a client puts into the request.
crypto::Certificate certificate_of(const DecryptKeyPlan& plan, Instant now) {
  const auto certificates = [&] {
    try {
      return crypto::Certificate::parse_pem(plan.certificate);
    } catch (const Error& error) {
      throw Error(ErrorCode::config, "decrypt_key.certificate", error.what(), error.detail());
    }
  }();
  if (certificates.size() != 1) {
    refuse("decrypt_key.certificate", "it must be one certificate");
  }
  const crypto::Certificate& certificate = certificates.front();
  const Bytes identifier = certificate.subject_key_identifier();
  if (identifier.empty() || identifier.size() > kLongestIdentifier) {
    refuse("decrypt_key.certificate",
           "it has no subjectKeyIdentifier of 1 to 255 bytes to be named by");
  }
  if (now < certificate.not_before() || now > certificate.not_after()) {
    refuse("decrypt_key.certificate", "it is not valid now");
  }
  try {
    check_recipient(certificate);
  } catch (const Error& error) {
    throw Error(ErrorCode::config, "decrypt_key.certificate", error.what(), error.detail());
  }
  return certificate;
}

ca::AuditEvent event(const char* what, const ca::DecryptKeyName& name, const Clock& clock,
                     const std::string& who) {
  std::string detail = "kind=" + std::string(to_string(name.kind));
  if (!name.identifier.empty()) {
    detail += " identifier=" + to_hex(name.identifier);
  }
  return {.at = clock.now(),
          .who = who,
          .what = what,
          .outcome = "ok",
          .object = text_of(name.owner),
          .detail = std::move(detail)};
}

}  // namespace

ca::DecryptKey add_decrypt_key(const DecryptKeyPlan& plan, const ca::Snapshot& snapshot,
                               ca::DecryptKeyStore& keys, ca::SecretSealer& sealer,
                               const Clock& clock, const std::string& who) {
  const bool of_alias = plan.owner.kind == ca::DecryptKeyOwner::Kind::alias;
  if (of_alias && snapshot.find_alias(plan.owner.name) == nullptr) {
    refuse("config.reference", "there is no alias '" + plan.owner.name + "'");
  }
  ca::DecryptKey key{.name = {plan.owner, plan.kind, plan.identifier}, .created_at = clock.now()};
  switch (plan.kind) {
    case ca::DecryptKeyKind::secret:
      check_secret(plan);
      break;
    case ca::DecryptKeyKind::password:
      check_password(plan);
      break;
    case ca::DecryptKeyKind::certificate: {
      const crypto::Certificate certificate = certificate_of(plan, clock.now());
      key.name.identifier = certificate.subject_key_identifier();
      key.value = certificate.der();
      break;
    }
  }
  if (keys.find(key.name)) {  // before the token is asked; add() decides
    throw Error(ErrorCode::conflict, "decrypt_key.exists",
                "there is such a decrypt key already: remove it first", text_of(key.name));
  }
  if (key.value.empty()) {
    key.value = sealer.seal(plan.secret.view(), bound_to(key.name));
  }
  keys.add(key, event("decrypt_key.added", key.name, clock, who));
  return key;
}

void remove_decrypt_key(const ca::DecryptKeyName& name, ca::DecryptKeyStore& keys,
                        const Clock& clock, const std::string& who) {
  keys.remove(name, event("decrypt_key.removed", name, clock, who));
}

}  // namespace estia::provision
