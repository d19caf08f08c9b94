// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace estia::e2e {

/// Where an alias looks for an enrolment code.
enum class CodePlace { challenge_password, subject, header };

/// A kind of alias that the authorisation matrix asks.
struct MatrixAlias {
  std::string name;
  std::string ca;
  bool client_mode = false;  ///< end entities are registered, and get what was registered
  bool takes_vendors = false;
  bool has_account = false;  ///< Basic account `line`
  CodePlace code = CodePlace::challenge_password;
  std::string lines;  ///< of its [[alias]] table, beside name and ca
  /// Every credential that must have a row. `A+B` is both at once, the certificate last.
  std::vector<std::string> credentials;
};

[[nodiscard]] const std::vector<MatrixAlias>& matrix_aliases();

/// Aliases that make the certificates which are presented: one for each CA and profile.
[[nodiscard]] std::string maker_of(const std::string& ca, const std::string& profile);
[[nodiscard]] std::string makers_document(const std::string& password_file);
/// The tables of all kinds; `listed` is the SHA-256 of the certificate that aliases of this CA list
/// as a registration authority's.
[[nodiscard]] std::string aliases_document(const std::string& password_file,
                                           const std::string& listed_of_issuing,
                                           const std::string& listed_of_root);

}  // namespace estia::e2e
