// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/vendor_pki.h"

namespace estia::e2e {

inline constexpr const char* kVendorAlias = R"(
[[alias]]
name = "factory"
ca = "issuing"
mode = "client"
authenticators = ["vendor-certificate"]
username_field = "serialNumber"
)";

/// An alias in vendor mode, and a manufacturer whom nobody trusts yet.
class VendorSite : public ManagedSite {
 protected:
  VendorSite() {
    EXPECT_TRUE(add_configuration(kVendorAlias));
    acme = std::make_unique<VendorPki>(*client, "Acme");
  }
  void register_device(const std::string& name) { register_entity(name, "CN=" + name + ",O=Acme"); }
  std::string trust(const VendorPki::Ca& ca, const std::string& name,
                    const std::string& revocation = "none") {
    return estia_ok({"anchor", "add", ca.certificate.string(), "--name", name, "--revocation",
                     revocation, "--vendor-of", "factory", "--yes"});
  }
  Answer enroll(const Device& device) {
    return client->post("factory/simpleenroll", EstClient::csr_base64(device),
                        EstClient::as_device(device));
  }
  Device known_device(const std::string& name) {
    register_device(name);
    return acme->make_device("/CN=IDevID/serialNumber=" + name);
  }

  std::unique_ptr<VendorPki> acme;
};

}  // namespace estia::e2e
