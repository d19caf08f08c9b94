// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/crl.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/openssl/time.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kLargest = 16U << 20U;
constexpr std::string_view kBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kEnd = "-----END X509 CRL-----";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "crl.malformed", "the CRL is malformed", why);
}

[[noreturn]] void refuse_partial(const std::string& why) {
  throw Error(ErrorCode::malformed, "crl.not_full",
              "only a CRL that tells of every certificate of its issuer can be used", why);
}

/// The DER inside PEM armour, or the octets as they are.
Bytes unarmoured(ByteView octets) {
  std::string_view text = as_text(octets);
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  if (!text.starts_with(kBegin)) {
    return {octets.begin(), octets.end()};
  }
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos ||
      text.find_first_not_of(kSpace, end + kEnd.size()) != std::string_view::npos) {
    refuse("not exactly one PEM block");
  }
  return base64_decode(text.substr(kBegin.size(), end - kBegin.size()));
}

X509CrlPtr decode(ByteView der) {
  X509_CRL* raw = require(::X509_CRL_new_ex(library(), nullptr), "X509_CRL_new_ex");
  const unsigned char* at = der.data();
  if (::d2i_X509_CRL(&raw, &at, static_cast<long>(der.size())) == nullptr) {  // frees raw
    refuse(drain_errors());
  }
  X509CrlPtr crl(raw);
  if (at != der.data() + der.size()) {
    refuse("trailing bytes");
  }
  return crl;
}

Instant time_of(const ASN1_TIME* time) {
  const std::optional<Instant> at = instant_of(time);
  if (!at) {
    refuse("time");
  }
  return *at;
}

/// What OpenSSL does not look at without being asked would be taken for a full CRL.
void require_full(const X509_CRL* crl) {
  constexpr std::array kPartial{NID_delta_crl, NID_issuing_distribution_point};
  for (const int nid : kPartial) {
    if (::X509_CRL_get_ext_by_NID(crl, nid, -1) >= 0) {
      refuse_partial(::OBJ_nid2sn(nid));
    }
  }
  if (::X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0) {
    refuse_partial("a critical extension");
  }
}

/// RFC 5280 names no weak ones, but a forged CRL is a forged release of everything.
bool is_accepted(int signature_nid) {
  constexpr std::array kDigests{NID_sha256, NID_sha384, NID_sha512};
  if (signature_nid == NID_ED25519) {
    return true;
  }
  int digest = NID_undef;
  return ::OBJ_find_sigid_algs(signature_nid, &digest, nullptr) == 1 &&
         std::ranges::find(kDigests, digest) != kDigests.end();
}

}  // namespace

struct Crl::Parts {
  X509CrlPtr crl;
  Bytes der;
  Name issuer;
  Instant this_update;
  std::optional<Instant> next_update;
};

Crl::Crl(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

Crl Crl::parse(ByteView octets) {
  if (octets.size() > kLargest) {
    refuse("over 16 MiB");
  }
  try {
    Bytes der = unarmoured(octets);
    der::check_structure(der);
    X509CrlPtr crl = decode(der);
    require_full(crl.get());
    const ASN1_TIME* next = ::X509_CRL_get0_nextUpdate(crl.get());
    Parts parts{.crl = nullptr,
                .der = std::move(der),
                .issuer = Name::from_openssl(::X509_CRL_get_issuer(crl.get())),
                .this_update = time_of(::X509_CRL_get0_lastUpdate(crl.get())),
                .next_update = next == nullptr ? std::nullopt : std::optional(time_of(next))};
    parts.crl = std::move(crl);
    static_cast<void>(drain_errors());
    return Crl(std::make_shared<const Parts>(std::move(parts)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed || error.id().starts_with("crl.")) {
      throw;
    }
    refuse(error.id() + ": " + error.detail());
  }
}

const Bytes& Crl::der() const noexcept {
  return parts_->der;
}

const Name& Crl::issuer() const noexcept {
  return parts_->issuer;
}

Instant Crl::this_update() const noexcept {
  return parts_->this_update;
}

std::optional<Instant> Crl::next_update() const noexcept {
  return parts_->next_update;
}

std::size_t Crl::size() const noexcept {
  const STACK_OF(X509_REVOKED)* revoked = ::X509_CRL_get_REVOKED(openssl());
  return revoked == nullptr ? 0 : static_cast<std::size_t>(sk_X509_REVOKED_num(revoked));
}

bool Crl::signed_by(const PublicKey& key) const {
  if (!is_accepted(::X509_CRL_get_signature_nid(openssl()))) {
    return false;
  }
  const bool good = ::X509_CRL_verify(openssl(), key.evp()) == 1;
  static_cast<void>(drain_errors());
  return good;
}

X509_CRL* Crl::openssl() const noexcept {
  return parts_->crl.get();
}

}  // namespace estia::crypto
