// SPDX-License-Identifier: Apache-2.0
// The settings of an EST alias as EJBCA spells them.
#include <algorithm>
#include <array>

#include "server/provision/ejbca_alias.h"

namespace estia::provision {
namespace {

constexpr std::array<std::string_view, 21> kKeys{"operationmode",
                                                 "defaultca",
                                                 "eeprofile",
                                                 "certprofile",
                                                 "requirecert",
                                                 "requsername",
                                                 "reqpassword",
                                                 "allowupdatewithsamekey",
                                                 "ra.namegenerationscheme",
                                                 "ra.namegenerationparameters",
                                                 "ra.namegenerationprefix",
                                                 "ra.namegenerationpostfix",
                                                 "vendorcertificatemode",
                                                 "vendorcaids",
                                                 "vendorca",  // older dumps
                                                 "extractusernamecomponent",
                                                 "authenticationmodule",
                                                 "extractdnpartpwdcomponent",
                                                 "allowchangesubjectname",
                                                 "supportproxyca",
                                                 "severkeygenenabled"};  // EJBCA's own spelling

bool ends_with_key(std::string_view property, std::string_view key) {
  return property.size() > key.size() + 1 && property.ends_with(key) &&
         property[property.size() - key.size() - 1] == '.';
}

}  // namespace

std::vector<std::string> ejbca_list(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    const std::string part = text.substr(at, end - at);
    const std::size_t first = part.find_first_not_of(' ');
    parts.push_back(first == std::string::npos
                        ? ""
                        : part.substr(first, part.find_last_not_of(' ') - first + 1));
    at = end + 1;
  }
  return parts;
}

std::string ejbca_key_of(const std::string& property) {
  std::string_view longest;
  for (const std::string_view key : kKeys) {
    if (key.size() > longest.size() && ends_with_key(property, key)) {
      longest = key;
    }
  }
  return std::string(longest);
}

}  // namespace estia::provision
