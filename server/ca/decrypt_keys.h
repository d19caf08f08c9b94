// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/x509/certificate.h"
#include "server/ca/audit.h"

namespace estia::ca {

/// What a client opens the keys with that were made for it, known beforehand to both.
enum class DecryptKeyKind {
  secret,       ///< an AES key, by DecryptKeyIdentifier (EST-4.4.1.1-a)
  certificate,  ///< of a public key, by AsymmetricDecryptKeyIdentifier (EST-4.4.1.2-a)
  password,     ///< of a PKCS #12 file (RFC 8295); an owner has one at most
};
[[nodiscard]] std::string_view to_string(DecryptKeyKind kind) noexcept;
/// The kind of that name.
[[nodiscard]] std::optional<DecryptKeyKind> decrypt_key_kind(std::string_view name) noexcept;

/// For whom: every client of an alias, or one end entity wherever it asks.
struct DecryptKeyOwner {
  enum class Kind { alias, end_entity };
  Kind kind = Kind::alias;
  std::string name{};  ///< of the alias, or the username

  friend bool operator==(const DecryptKeyOwner&, const DecryptKeyOwner&) = default;
};
[[nodiscard]] std::string_view to_string(DecryptKeyOwner::Kind kind) noexcept;
/// "alias factory", "end_entity device-7": for people.
[[nodiscard]] std::string text_of(const DecryptKeyOwner& owner);

struct DecryptKeyName {
  DecryptKeyOwner owner{};
  DecryptKeyKind kind = DecryptKeyKind::secret;
  Bytes identifier{};  ///< as in the request, 1 to 255 bytes; of a password: none
};

/// "alias factory: secret 6b2d37": for people.
[[nodiscard]] std::string text_of(const DecryptKeyName& name);

/// What a sealed value belongs to: in another place than this it must not open.
[[nodiscard]] Bytes bound_to(const DecryptKeyName& name);

struct DecryptKey {
  std::int64_t id = 0;  ///< the store's, increasing
  DecryptKeyName name{};
  Bytes value{};  ///< a certificate in DER; of a secret or password what SecretSealer made of it
  Instant created_at{};
};

/// When a call returns, its effect survives a power cut; any thread. Every call throws Error{store}
/// when the database fails. Usernames are compared by username_key(). A removed alias takes its
/// keys with it (ConfigurationStore::replace).
class DecryptKeyStore {
 public:
  virtual ~DecryptKeyStore() = default;
  [[nodiscard]] virtual std::optional<DecryptKey> find(const DecryptKeyName& name) const = 0;
  /// At most `limit` of an owner, by id, those after `after`.
  [[nodiscard]] virtual std::vector<DecryptKey> list(const DecryptKeyOwner& owner,
                                                     std::int64_t after,
                                                     std::size_t limit) const = 0;
  /// Throws Error{conflict, "decrypt_key.exists"}; Error{not_found, "entity.unknown"}. `key.id` is
  /// not looked at.
  virtual void add(const DecryptKey& key, const AuditEvent& audit) = 0;
  /// Throws Error{not_found, "decrypt_key.unknown"}.
  virtual void remove(const DecryptKeyName& name, const AuditEvent& audit) = 0;
};

/// Keeps secrets outside the token under a key inside it (hsm::SealingKey). Any thread.
class SecretSealer {
 public:
  virtual ~SecretSealer() = default;
  /// May make the key: one call at a time, and nothing else searches the token meanwhile. Throws
  /// Error{conflict, "sealing.unsupported"}, Error{token}, Error{busy}.
  [[nodiscard]] virtual Bytes seal(ByteView secret, ByteView bound_to) = 0;
  /// Throws Error{store, "sealing.broken"} unless seal() made it for the same `bound_to`,
  /// Error{token, "sealing.key_missing"}, Error{token}, Error{busy}.
  [[nodiscard]] virtual SecureBytes open(ByteView sealed, ByteView bound_to) = 0;
};

/// The certificate of such a key. Throws Error{store, "store.corrupt"}.
[[nodiscard]] crypto::Certificate registered_certificate(const DecryptKey& key);

/// The key of that name for a client of `alias` that is `username`: its own, else the alias's.
[[nodiscard]] std::optional<DecryptKey> find_decrypt_key(const DecryptKeyStore& keys,
                                                         const std::string& username,
                                                         const std::string& alias,
                                                         DecryptKeyKind kind,
                                                         const Bytes& identifier);

}  // namespace estia::ca
