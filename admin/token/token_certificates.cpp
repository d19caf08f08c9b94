// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_certificates.h"

#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "admin/token/libp11_token.h"
#include "crypto/base/error.h"
#include "crypto/openssl/owned.h"
#include "hsm/ckr.h"
#include "hsm/public_keys.h"

namespace estia::admin {
namespace {

using Keys = std::vector<hsm::TokenPublicKey>;

/// libp11 gives public keys only by PKCS11_enumerate_public_keys, which fails as a whole where one
/// of them is of a kind it does not know (Ed25519): the hsm module reads them. While libp11 has the
/// module initialised and logged in, in this thread.
Keys keys_of(Libp11Token& token, const TokenPlace& place) {
  return hsm::public_keys_in(place.module, place.init_args, token.slot_id());
}

/// The same around a login. A token may have no session for it besides the one that keeps that
/// login: then what it showed to strangers is all that is known.
Keys keys_with_login(Libp11Token& token, const TokenPlace& place, const Secret& pin) {
  std::optional<Keys> to_strangers;
  try {
    to_strangers = keys_of(token, place);
  } catch (const hsm::TokenError&) {
    // Some show nothing without a login.
  }
  token.login(PinOwner::user, pin);
  try {
    return keys_of(token, place);
  } catch (const hsm::TokenError& error) {
    if (!to_strangers || error.rv() != CKR_SESSION_COUNT) {
      throw;
    }
    return *std::move(to_strangers);
  }
}

Keys keys_for(const Keys& all, const crypto::Certificate& certificate) {
  Keys found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const hsm::TokenPublicKey& key) {
    return key.key == certificate.public_key();
  });
  return found;
}

/// What libp11 shows; what is no X.509 certificate is left out.
std::vector<TokenCertificate> read_certificates(Libp11Token& token, const Keys& keys) {
  PKCS11_CERT* list = nullptr;
  unsigned int count = 0;
  if (::PKCS11_enumerate_certs(token.slot().token, &list, &count) != 0) {
    token.fail("C_FindObjects", PinOwner::user);
  }
  std::vector<TokenCertificate> found;
  for (const PKCS11_CERT& entry : std::span(list, count)) {
    unsigned char* encoded = nullptr;
    const int size = entry.x509 == nullptr ? 0 : ::i2d_X509(entry.x509, &encoded);
    if (size <= 0) {
      continue;
    }
    const std::unique_ptr<unsigned char, crypto::OpenSslFree> owner(encoded);
    try {
      crypto::Certificate certificate =
          crypto::Certificate::parse({encoded, static_cast<std::size_t>(size)});
      const bool has_key = !keys_for(keys, certificate).empty();
      found.push_back({.id = Bytes(entry.id, entry.id + entry.id_len),
                       .label = unpadded_text(entry.label),
                       .certificate = std::move(certificate),
                       .key_in_token = has_key});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::malformed) {
        throw;
      }
    }
  }
  return found;
}

std::string label_of(const crypto::Certificate& certificate) {
  return certificate.subject().first("CN").value_or(to_hex(certificate.serial()));
}

Bytes key_identifier_of(const crypto::Certificate& certificate) {
  Bytes named = certificate.subject_key_identifier();
  return named.empty() ? certificate.public_key().key_identifier() : named;
}

std::string subject_of(const crypto::Certificate& certificate) {
  return certificate.subject().text() + " (serial " + to_hex(certificate.serial()) + ")";
}

TokenCertificate named(const crypto::Certificate& certificate, const Keys& all,
                       const WantedName& wanted) {
  const Keys keys = keys_for(all, certificate);
  TokenCertificate made{.id = wanted.id,
                        .label = wanted.label,
                        .certificate = certificate,
                        .key_in_token = !keys.empty()};
  if (keys.empty()) {
    made.id = made.id.empty() ? key_identifier_of(certificate) : made.id;
    made.label = made.label.empty() ? label_of(certificate) : made.label;
    return made;
  }
  const auto same_id = [&](const hsm::TokenPublicKey& key) { return key.id == made.id; };
  if (!made.id.empty() && std::ranges::none_of(keys, same_id)) {
    throw Error(ErrorCode::conflict, "token.cert_id",
                "the key of " + subject_of(certificate) + " is in the token with the id " +
                    to_hex(keys.front().id) + ", not " + to_hex(made.id));
  }
  if (made.id.empty() && std::ranges::any_of(keys, [&](const hsm::TokenPublicKey& key) {
        return key.id != keys.front().id;
      })) {
    throw Error(ErrorCode::conflict, "token.cert_key_ambiguous",
                "the token has the key of " + subject_of(certificate) +
                    " more than once: say which id with --id");
  }
  const hsm::TokenPublicKey& key =
      made.id.empty() ? keys.front() : *std::ranges::find_if(keys, same_id);
  made.id = key.id;
  made.label = made.label.empty() ? key.label : made.label;
  return made;
}

void refuse_duplicates(const std::vector<TokenCertificate>& there,
                       const std::vector<crypto::Certificate>& wanted) {
  for (auto at = wanted.begin(); at != wanted.end(); ++at) {
    if (std::find(wanted.begin(), at, *at) != at) {
      throw Error(ErrorCode::conflict, "token.cert_exists",
                  subject_of(*at) + " stands twice in the file");
    }
    for (const TokenCertificate& other : there) {
      if (other.certificate == *at) {
        throw Error(ErrorCode::conflict, "token.cert_exists",
                    subject_of(*at) + " is in the token already, with the id " + to_hex(other.id));
      }
    }
  }
}

/// libp11 works with OpenSSL's default context, our certificates with one of their own.
crypto::X509Ptr for_libp11(const crypto::Certificate& certificate) {
  const unsigned char* at = certificate.der().data();
  crypto::X509Ptr parsed(::d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size())));
  if (!parsed) {
    throw Error(ErrorCode::internal, "token.cert_store",
                "a certificate cannot be handed to libp11");
  }
  return parsed;
}

/// Whether the token took it.
bool store(Libp11Token& token, TokenCertificate& wanted) {
  const crypto::X509Ptr certificate = for_libp11(wanted.certificate);
  PKCS11_CERT* stored = nullptr;
  ::ERR_clear_error();
  return ::PKCS11_store_certificate(token.slot().token, certificate.get(), wanted.label.data(),
                                    wanted.id.data(), wanted.id.size(), &stored) == 0;
}

/// Those of a file that was not taken as a whole.
void take_back(Libp11Token& token, std::span<const TokenCertificate> stored) {
  PKCS11_CERT* list = nullptr;
  unsigned int count = 0;
  static_cast<void>(::PKCS11_enumerate_certs(token.slot().token, &list, &count));
  for (unsigned int at = 0; at < count; ++at) {
    for (const TokenCertificate& wanted : stored) {
      const crypto::X509Ptr ours = for_libp11(wanted.certificate);
      if (list[at].x509 != nullptr && ::X509_cmp(list[at].x509, ours.get()) == 0) {
        static_cast<void>(::PKCS11_remove_certificate(&list[at]));
        break;
      }
    }
  }
}

}  // namespace

std::vector<TokenCertificate> list_certificates(const TokenPlace& place, const Secret* pin) {
  Libp11Token token(place);
  const Keys keys = pin == nullptr ? keys_of(token, place) : keys_with_login(token, place, *pin);
  return read_certificates(token, keys);
}

std::vector<TokenCertificate> store_certificates(
    const TokenPlace& place, const Secret& pin,
    const std::vector<crypto::Certificate>& certificates, const WantedName& name) {
  Libp11Token token(place);
  const Keys keys = keys_with_login(token, place, pin);
  refuse_duplicates(read_certificates(token, keys), certificates);
  std::vector<TokenCertificate> wanted;
  for (const crypto::Certificate& certificate : certificates) {
    wanted.push_back(named(certificate, keys, name));
  }
  for (std::size_t done = 0; done < wanted.size(); ++done) {
    if (!store(token, wanted[done])) {
      const std::string reason = libp11_reason();
      take_back(token, std::span(wanted).first(done));
      throw Error(ErrorCode::token, "token.cert_store",
                  "the token does not take " + subject_of(wanted[done].certificate) +
                      "; nothing was stored: " + reason);
    }
  }
  return wanted;
}

}  // namespace estia::admin
