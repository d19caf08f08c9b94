// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estia::provision {

/// EJBCA's property dump of its EST aliases, and what its numbers mean here.
struct EjbcaDump {
  std::string_view text{};
  std::string source{};  ///< what messages call it, usually the file
  /// "ca:ID=NAME", "eeprofile:ID=NAME", "certprofile:ID=NAME"; "vendorca:ID=NAME" of a trust anchor
  std::vector<std::string> maps{};
  std::optional<std::string> ra_scope{};  ///< of every alias in RA mode; needed with accounts
};

/// Aliases as EJBCA had them. Each setting that stands in the dump is in exactly one of the lists;
/// defaults that decide something are in them too.
struct EjbcaImport {
  std::string toml{};  ///< [[alias]] tables; accounts as comments, since their passwords are lost
  std::vector<std::string> took{};
  std::vector<std::string> differs{};
  std::vector<std::string> not_taken{};
};

/// Pure text work: nothing is stored. Every alias of the result reads back; what it refers to is
/// checked when it is applied. No value of a password or of an unknown key is in the result. Throws
/// what parse_java_properties throws and Error{config, ...} "ejbca.no_alias", "ejbca.map",
/// "ejbca.unmapped", "ejbca.value", "ejbca.open_to_all", "ejbca.scope_missing", "ejbca.alias",
/// "scope.invalid".
[[nodiscard]] EjbcaImport import_ejbca(const EjbcaDump& dump);

}  // namespace estia::provision
