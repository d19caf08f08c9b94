// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"
#include "server/ca/audit.h"
#include "server/ca/model.h"

namespace estia::ca {

/// Whom certificates are for. Known by its username, which is one for the whole server, whatever
/// the CA: an end entity of another CA or profile cannot be reached by taking its name.
struct EndEntity {
  std::string username{};  ///< as it was first written
  std::string ca{};
  std::string end_entity_profile{};   ///< empty for those of before profiles were recorded
  std::string certificate_profile{};  ///< likewise
  crypto::Name subject{};             ///< client mode: as registered; RA mode: of the last request
  crypto::GeneralNames san{};         ///< likewise
  bool disabled = false;              ///< gets nothing while it is
  Instant created_at{};
};

/// One enrolment code of an end entity, as stored (D16): never the code.
struct EnrollmentCode {
  Bytes id{};  ///< 16 random octets
  PasswordHash hash{};
  int uses_left = 0;
  std::optional<Instant> expires_at{};
};

/// What usernames are compared by: ASCII letters without case, white space trimmed and compressed,
/// as in names (RFC 5280 7.1). Two spellings that one certificate subject could have are one end
/// entity.
[[nodiscard]] std::string username_key(std::string_view username);

/// End entities and their codes. When a call returns, its effect survives a power cut; any thread.
/// Every call throws Error{store, ...} when the database fails. RA mode creates end entities inside
/// the transaction of their first intent (Registry::intend), not here.
class EndEntityStore {
 public:
  virtual ~EndEntityStore() = default;
  [[nodiscard]] virtual std::optional<EndEntity> find(std::string_view username) const = 0;
  /// At most `limit`, ordered by the key of their usernames, those after `after`.
  [[nodiscard]] virtual std::vector<EndEntity> list(std::string_view after,
                                                    std::size_t limit) const = 0;
  /// Throws Error{conflict, "entity.exists"}.
  virtual void add(const EndEntity& entity, const AuditEvent& audit) = 0;
  /// Throws Error{not_found, "entity.unknown"}.
  virtual void set_disabled(std::string_view username, bool disabled, const AuditEvent& audit) = 0;

  /// Codes that may still serve or answer a repetition: also spent ones, not expired ones.
  [[nodiscard]] virtual std::vector<EnrollmentCode> codes(std::string_view username,
                                                          Instant now) const = 0;
  /// Adds a code, in place of all earlier ones. Throws Error{not_found, "entity.unknown"}.
  virtual void set_code(std::string_view username, const EnrollmentCode& code,
                        const AuditEvent& audit) = 0;
  /// Removes every code. Throws Error{not_found, "entity.unknown"}.
  virtual void remove_codes(std::string_view username, const AuditEvent& audit) = 0;
};

}  // namespace estia::ca
