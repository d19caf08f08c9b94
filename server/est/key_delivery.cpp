// SPDX-License-Identifier: Apache-2.0
#include "server/est/key_delivery.h"

#include <memory>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/cms/certs_only.h"
#include "crypto/cms/enveloped_key.h"
#include "crypto/cms/key_package.h"
#include "crypto/est/key_encryption_request.h"
#include "server/est/key_response.h"

namespace estia::est {
namespace {

[[noreturn]] void refuse(const char* id, const char* told, std::string detail = {}) {
  throw Error(ErrorCode::malformed, id, told, std::move(detail));
}

}  // namespace

std::optional<crypto::KeyRecipient> KeyDelivery::recipient(
    const ca::Alias& alias, const crypto::Csr& csr,
    const std::vector<crypto::Certificate>& chain) const {
  const auto wish = crypto::key_encryption_request(csr);
  if (!wish) {
    if (!alias.gives(ca::KeyPackage::pkcs8)) {
      refuse("serverkeygen.encryption_required",
             "a key is given out encrypted only: the request must say for which key");
    }
    return std::nullopt;
  }
  if (!alias.gives(ca::KeyPackage::cms)) {
    refuse("serverkeygen.encryption_off", "keys are not encrypted here beyond TLS");
  }
  // Of the client's keys only that of its certificate is known here, which it is sure to have.
  if (wish->key == crypto::KeyEncryptionRequest::Key::secret || chain.empty()) {
    refuse("serverkeygen.unknown_key", "the key to encrypt with is not known here",
           to_hex(wish->identifier));
  }
  return crypto::certificate_recipient(wish->identifier, chain.front(), wish->capabilities);
}

KeyDelivery::Package KeyDelivery::package(
    SecureBytes private_key, const std::optional<crypto::KeyRecipient>& recipient) const {
  if (!recipient) {
    return private_key;
  }
  return crypto::enveloped_key(
      crypto::signed_key_package(private_key, signer_.key, signer_.certificate, clock_.now()),
      *recipient);
}

http::Response KeyDelivery::response(const Package& package,
                                     const crypto::IssuedCertificate& certificate) {
  const Bytes certs_only = crypto::certs_only(std::vector<Bytes>{certificate.der()});
  const auto* plain = std::get_if<SecureBytes>(&package);
  KeyResponse made = plain != nullptr
                         ? key_response(KeyForm::pkcs8, plain->view(), certs_only)
                         : key_response(KeyForm::encrypted, std::get<Bytes>(package), certs_only);
  http::Response response;
  response.headers.add("Content-Type", std::move(made.content_type));
  response.secret_body = std::make_shared<const SecureBytes>(std::move(made.body));
  return response;
}

}  // namespace estia::est
