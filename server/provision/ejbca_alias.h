// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/ca/model.h"
#include "server/provision/ejbca_import.h"
#include "server/provision/java_properties.h"

namespace estia::provision {

/// --map: (kind, EJBCA's id) to a name of ours.
using EjbcaNames = std::map<std::pair<std::string, std::string>, std::string>;

/// The key that EJBCA's settings of an alias end with ("a.b.ra.namegenerationscheme" gives
/// "ra.namegenerationscheme"), the longest where several fit; empty for a key nobody knows, or
/// without an alias in front.
[[nodiscard]] std::string ejbca_key_of(const std::string& property);

/// The parts of a list "a; b;c", without the spaces around them; one empty part of an empty text.
[[nodiscard]] std::vector<std::string> ejbca_list(const std::string& text);

/// One alias of the dump, read setting by setting into one of ours; writes the report.
class EjbcaAlias final {
 public:
  struct Context {
    const std::string& source;
    const EjbcaNames& names;
    const std::optional<ca::NameScope>& scope;
    EjbcaImport& report;
    std::set<std::pair<std::string, std::string>> used{};  ///< of names
    std::vector<std::string> unmapped{};  ///< ids that names does not have, with their places
  };

  /// `settings` by EJBCA's key. Borrows both.
  EjbcaAlias(std::string name, const std::map<std::string, JavaProperty>& settings,
             Context& context);

  /// Throws as import_ejbca. Call once.
  [[nodiscard]] ca::Alias read();
  /// The account's user; empty without one.
  [[nodiscard]] const std::string& user() const noexcept { return user_; }

 private:
  struct Setting {
    std::string key{};
    std::string value{};
    bool present = false;
  };

  [[nodiscard]] Setting setting(const char* key, const char* fallback);
  [[nodiscard]] bool flag(const Setting& setting) const;
  [[nodiscard]] std::string mapped(const char* key, const char* kind, const char* ours,
                                   const char* fallback);
  [[nodiscard]] const std::string& name_of(const Setting& setting, const char* kind,
                                           const std::string& id);
  [[nodiscard]] std::string shown(const Setting& setting) const;
  [[nodiscard]] std::string place(const Setting& setting) const;
  [[noreturn]] void refuse(const char* id, const Setting& setting, const std::string& why) const;
  void took(const Setting& setting, const std::string& what);
  void not_taken(const Setting& setting, const std::string& why);
  void differs(const std::string& what);

  void read_mode();
  void read_ra();
  void read_authentication();
  void read_scheme();
  /// Whether manufacturers' certificates are what a first enrolment needs here.
  [[nodiscard]] bool read_vendors();
  void read_vendor_anchors();
  void leave_vendor_lists();
  void read_client(bool vendors);
  void read_module();
  void read_serverkeygen();
  void read_what_is_not_built();
  void report_the_rest();

  ca::Alias alias_;
  std::string user_;
  const std::map<std::string, JavaProperty>& settings_;
  Context& context_;
  std::set<std::string> read_;
};

}  // namespace estia::provision
