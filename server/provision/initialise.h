// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secret.h"
#include "crypto/keys/key_spec.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"
#include "server/ca/configuration_store.h"
#include "server/ca/name_scope.h"
#include "server/ca/registry.h"
#include "server/provision/key_ceremony.h"

namespace estia::provision {

/// What the operator chose.
struct InitialisePlan {
  crypto::KeySpec root_key = crypto::KeySpec::parse("P-384");
  crypto::KeySpec issuing_key = crypto::KeySpec::parse("P-256");
  crypto::Name root_subject{};          ///< empty: "CN=Estia Root CA <8 hex digits>"
  crypto::Name issuing_subject{};       ///< empty: "CN=Estia Issuing CA <the same digits>"
  ca::NameScope ra_scope{};             ///< must not be empty
  crypto::GeneralNames server_names{};  ///< of the TLS certificate; must not be empty
  bool tls_key_in_token = false;
  std::string who{};  ///< for the audit trail
};

/// What must be written down beside the store, which holds the rest.
struct InitialisedCa {
  crypto::Certificate root;
  crypto::Certificate issuing;
  crypto::Certificate tls_certificate;
  Secret tls_key;             ///< PKCS#8 PEM; empty: it is in the token
  std::string tls_key_uri{};  ///< its name there
  std::string user{};
  Secret password;
};

/// The seams it works with; all must be fresh and outlive the call.
struct InitialiseSeams {
  ca::Registry& registry;
  ca::ConfigurationStore& configuration;
  ca::AuditLog& audit;
  const Clock& clock;
};

/// Makes a CA: root and issuing key in the token, both certificates, the TLS server's certificate
/// (all three recorded and audited like any other), the first configuration and its one account.
/// When it throws, `keys` takes the token keys away again; what was recorded is the caller's to
/// discard with the store. Throws Error{config, ...} for a plan that cannot be, Error{token},
/// Error{store}.
[[nodiscard]] InitialisedCa initialise(const InitialisePlan& plan, KeysInTheMaking& keys,
                                       const InitialiseSeams& seams);

}  // namespace estia::provision
