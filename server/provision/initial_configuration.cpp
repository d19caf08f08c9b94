// SPDX-License-Identifier: Apache-2.0
#include "server/provision/initial_configuration.h"

#include "crypto/keys/key_spec.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;
using Kind = crypto::GeneralName::Kind;

constexpr seconds kDay{86400};
constexpr seconds kYear = kDay * 365;
constexpr seconds kBackdate{300};  // devices' clocks run behind

std::vector<std::string> all_key_types() {
  std::vector<std::string> names;
  for (const crypto::KeySpec& spec : crypto::KeySpec::known()) {
    names.push_back(spec.name);
  }
  return names;
}

ca::CertificateProfile ca_profile(std::string_view name, seconds validity, int path_length) {
  ca::CertificateProfile profile;
  profile.name = name;
  profile.validity = validity;
  profile.backdate = kBackdate;
  profile.key_types = all_key_types();
  profile.key_usage = {"keyCertSign", "cRLSign"};
  profile.ca = true;
  profile.path_length = path_length;
  return profile;
}

ca::CertificateProfile end_profile(std::string_view name, std::vector<std::string> purposes) {
  ca::CertificateProfile profile;
  profile.name = name;
  profile.validity = kYear;
  profile.backdate = kBackdate;
  profile.key_types = all_key_types();
  profile.key_usage = {"digitalSignature", "keyEncipherment"};
  profile.extended_key_usage = std::move(purposes);
  return profile;
}

ca::EndEntityProfile device_names() {
  ca::EndEntityProfile profile;
  profile.name = kDeviceProfile;
  profile.subject.push_back({.attribute = "CN", .required = true, .fixed = std::nullopt});
  for (const char* attribute : {"O", "OU", "C", "ST", "L", "serialNumber", "UID", "DC"}) {
    profile.subject.push_back({.attribute = attribute, .required = false, .fixed = std::nullopt});
  }
  profile.san = {Kind::dns, Kind::ip, Kind::email, Kind::uri};
  return profile;
}

}  // namespace

std::vector<ca::CertificateProfile> initial_certificate_profiles() {
  const std::string server(crypto::oid::kServerAuth);
  const std::string client(crypto::oid::kClientAuth);
  const std::string ra(crypto::oid::kCmcRa);
  return {ca_profile(kRootProfile, kYear * 20, -1), ca_profile(kIssuingProfile, kYear * 10, 0),
          // EST-3.6.1-a: cmcRA lets clients with an explicit anchor accept the server whatever its
          // name; without clientAuth it gives no rights to whoever holds the key.
          end_profile(kTlsServerProfile, {server, ra}), end_profile(kDeviceProfile, {client})};
}

ParsedConfiguration initial_configuration(const ca::CertificationAuthority& root,
                                          const ca::CertificationAuthority& issuing,
                                          const ca::NameScope& ra_scope) {
  ParsedConfiguration configuration;
  ca::Snapshot& contents = configuration.contents;
  contents.cas.emplace(root.name, root);
  contents.cas.emplace(issuing.name, issuing);
  contents.end_entity_profiles.emplace(kDeviceProfile, device_names());
  for (ca::CertificateProfile& profile : initial_certificate_profiles()) {
    contents.certificate_profiles.emplace(profile.name, std::move(profile));
  }
  ca::Alias alias;
  alias.name = "est";
  alias.ca = kIssuingCa;
  alias.end_entity_profile = kDeviceProfile;
  alias.certificate_profile = kDeviceProfile;
  alias.authenticators = {ca::Authenticator::basic};
  alias.ra_scope = ra_scope;
  contents.aliases.emplace(alias.name, alias);
  configuration.accounts.push_back({.alias = alias.name, .user = std::string(kFirstAccount)});
  return configuration;
}

}  // namespace estia::provision
