// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/enveloped_key.h"

#include "crypto/base/der.h"
#include "crypto/base/random.h"
#include "crypto/cms/content_key.h"
#include "crypto/cms/enveloped_data.h"
#include "crypto/cms/key_agreement.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kSignedData = "1.2.840.113549.1.7.2";
constexpr std::size_t kAesBlock = 16;

// RecipientInfo, RFC 5652 6.2: one function for each kind.

/// KEKRecipientInfo [2]
Bytes recipient_info(const KeyRecipient::SecretKey& method, const Bytes& identifier,
                     const SecureBytes& content_key) {
  const Bytes key_id = der::sequence({der::octet_string(identifier)});
  const Bytes wrapped = wrap_key(method.wrap, method.key.view(), content_key);
  Bytes info = der::sequence({der::small_integer(4), key_id, algorithm_identifier(method.wrap),
                              der::octet_string(wrapped)});
  info.front() = 0xA2;
  return info;
}

/// KeyTransRecipientInfo
Bytes recipient_info(const KeyRecipient::Transport& method, const Bytes& identifier,
                     const SecureBytes& content_key) {
  return transport_recipient_info(identifier, algorithm_identifier(method.algorithm),
                                  encrypt_key(method, content_key));
}

/// KeyAgreeRecipientInfo [1], with rid = [0] RecipientKeyIdentifier (RFC 5753 3.1.1)
Bytes recipient_info(const KeyRecipient::Agreement& method, const Bytes& identifier,
                     const SecureBytes& content_key) {
  const AgreedKey agreed = agree_on_key(method);
  const Bytes wrap = algorithm_identifier(method.algorithm.wrap);
  const Bytes scheme = der::sequence({der::oid(method.algorithm.scheme.oid), wrap});
  // originatorKey [1] { id-ecPublicKey, point }: the curve is the recipient's.
  Bytes originator = der::sequence(
      {der::sequence({der::oid("1.2.840.10045.2.1")}), der::bit_string(agreed.ephemeral_point)});
  originator.front() = 0xA1;
  Bytes key_id = der::sequence({der::octet_string(identifier)});
  key_id.front() = 0xA0;
  const Bytes wrapped = wrap_key(method.algorithm.wrap, agreed.key.view(), content_key);
  const Bytes keys = der::sequence({der::sequence({key_id, der::octet_string(wrapped)})});
  Bytes info = der::sequence({der::small_integer(3), der::tlv(0xA0, originator),
                              der::tlv(0xA1, der::octet_string(agreed.ukm)), scheme, keys});
  info.front() = 0xA1;
  return info;
}

}  // namespace

Bytes enveloped_key(const SecureBytes& signed_data, const KeyRecipient& recipient) {
  SecureBytes content_key(recipient.cipher.bits / 8);
  random_fill(content_key.span());
  Bytes iv(kAesBlock);
  random_fill(iv);
  const Bytes info = std::visit(
      [&](const auto& method) { return recipient_info(method, recipient.identifier, content_key); },
      recipient.method);
  const Bytes cipher = der::sequence({der::oid(recipient.cipher.oid), der::octet_string(iv)});
  const Bytes content = encrypt_content(recipient.cipher, content_key, iv, signed_data);
  // EncryptedContentInfo: the content is the SignedData itself, without a ContentInfo around it.
  return enveloped_data(info, kSignedData, cipher, content);
}

}  // namespace estia::crypto
