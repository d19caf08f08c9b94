// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/matrix_aliases.h"

#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

using Names = std::vector<std::string>;

constexpr const char* kBriefProfile = R"(
[[certificate_profile]]
name = "brief"
validity = "1s"
key_types = ["P-256"]
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth"]
)";

constexpr const char* kRa =
    "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\nra_scope = \"CN=dev-*\"\n";
constexpr const char* kClient = "mode = \"client\"\nusername_field = \"CN\"\n";

std::string authenticators(const std::string& list) {
  return "authenticators = [" + list + "]\n";
}

Names operator+(Names left, const Names& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Names kNothing{"none"};
const Names kAccounts{"basic", "basic-wrong", "basic-unknown", "basic-other-alias",
                      "basic-malformed"};
const Names kDevices{"device",          "device-revoked", "device-held",  "device-expired",
                     "device-other-ca", "device-foreign", "vendor-known", "vendor-unknown"};
const Names kAuthorities{"ra", "server", "ra-other-ca", "ra-foreign"};
const Names kListed{"ra-listed"};
const Names kCodes{"code", "code-wrong", "code-other-entity", "code-spent"};
const Names kForAuthorities = kNothing + kAccounts + kDevices + kAuthorities + kListed;
const Names kForClients = kNothing + kAccounts + kDevices + kAuthorities + kCodes;
const Names kPairs{"basic+device",     "basic+device-revoked", "basic+device-other-ca",
                   "basic+ra",         "basic+ra-listed",      "basic+ra-other-ca",
                   "basic+ra-foreign", "basic+server",         "basic-wrong+device",
                   "basic-wrong+ra",   "basic-other-alias+ra"};

void add_account(std::string& document, const std::string& alias, const std::string& user,
                 const std::string& password_file) {
  document += "\n[[account]]\nalias = \"" + alias + "\"\nuser = \"" + user +
              "\"\npassword_file = \"" + password_file + "\"\ngenerated = true\n";
}

void add_alias(std::string& document, const std::string& name, const std::string& ca,
               const std::string& lines) {
  document += "\n[[alias]]\nname = \"" + name + "\"\nca = \"" + ca + "\"\n" + lines;
}

}  // namespace

const std::vector<MatrixAlias>& matrix_aliases() {
  static const std::vector<MatrixAlias> kinds{
      {.name = "ra-basic",
       .ca = "issuing",
       .has_account = true,
       .lines = kRa + authenticators("\"basic\""),
       .credentials = kForAuthorities},
      {.name = "ra-certificate",
       .ca = "issuing",
       .lines = kRa + authenticators("\"client-certificate\""),
       .credentials = kForAuthorities},
      {.name = "ra-both",
       .ca = "issuing",
       .has_account = true,
       .lines = kRa + authenticators("\"client-certificate+basic\""),
       .credentials = kForAuthorities + kPairs},
      {.name = "ra-either",
       .ca = "issuing",
       .has_account = true,
       .lines = kRa + authenticators("\"client-certificate\", \"basic\""),
       .credentials = kForAuthorities + kPairs},
      {.name = "ra-vendor",
       .ca = "issuing",
       .takes_vendors = true,
       .lines = kRa + authenticators("\"vendor-certificate\"") +
                "vendor_in_ra_mode = true\nvendor_anchors = [\"acme\"]\n",
       .credentials = kForAuthorities},
      {.name = "rooted",
       .ca = "root",
       .has_account = true,
       .lines = kRa + authenticators("\"client-certificate\", \"basic\""),
       .credentials = kForAuthorities},
      {.name = "code-challenge",
       .ca = "issuing",
       .client_mode = true,
       .lines = kClient,
       .credentials = kForClients + Names{"code+device", "code+device-revoked"}},
      {.name = "code-subject",
       .ca = "issuing",
       .client_mode = true,
       .code = CodePlace::subject,
       .lines = std::string(kClient) + "code_source = \"dn-part\"\ncode_field = \"OU\"\n",
       .credentials = kForClients},
      {.name = "code-header",
       .ca = "issuing",
       .client_mode = true,
       .code = CodePlace::header,
       .lines = std::string(kClient) + "code_source = \"basic\"\n",
       .credentials = kForClients},
      {.name = "vendor",
       .ca = "issuing",
       .client_mode = true,
       .takes_vendors = true,
       .lines =
           kClient + authenticators("\"vendor-certificate\"") + "vendor_anchors = [\"acme\"]\n",
       .credentials = kForClients},
      {.name = "vendor-code",
       .ca = "issuing",
       .client_mode = true,
       .takes_vendors = true,
       .lines = kClient + authenticators("\"vendor-certificate\", \"code\"") +
                "vendor_anchors = [\"acme\"]\n",
       .credentials = kForClients + Names{"code+vendor-unknown", "code+device-foreign"}},
  };
  return kinds;
}

std::string maker_of(const std::string& ca, const std::string& profile) {
  return "make-" + profile + "-" + ca;
}

std::string makers_document(const std::string& password_file) {
  std::string document = std::string(kRaProfile) + kBriefProfile;
  for (const char* ca : {"issuing", "root"}) {
    for (const char* profile : {"device", "ra", "brief"}) {
      add_alias(document, maker_of(ca, profile), ca,
                "end_entity_profile = \"device\"\ncertificate_profile = \"" + std::string(profile) +
                    "\"\nauthenticators = [\"basic\"]\nra_scope = \"any\"\n");
      add_account(document, maker_of(ca, profile), "maker", password_file);
    }
  }
  return document;
}

std::string aliases_document(const std::string& password_file, const std::string& listed_of_issuing,
                             const std::string& listed_of_root) {
  std::string document;
  for (const MatrixAlias& kind : matrix_aliases()) {
    const std::string& listed = kind.ca == "root" ? listed_of_root : listed_of_issuing;
    add_alias(document, kind.name, kind.ca,
              kind.lines + (kind.client_mode ? "" : "ra_certificates = [\"" + listed + "\"]\n"));
    if (kind.has_account) {
      add_account(document, kind.name, "line", password_file);
    }
  }
  return document;
}

}  // namespace estia::e2e
