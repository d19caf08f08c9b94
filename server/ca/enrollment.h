// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/x509/csr.h"
#include "server/ca/authorisation.h"
#include "server/ca/ca_keys.h"
#include "server/ca/explanation.h"
#include "server/ca/identity.h"
#include "server/ca/issuer.h"
#include "server/ca/model.h"
#include "server/ca/server_keys.h"

namespace estia::ca {

struct Enrolled {
  crypto::IssuedCertificate certificate;
  Kind kind;
  Bytes key_fingerprint;  ///< of the key that was certified, as PublicKey::fingerprint
};

/// What becomes of the private key of one serverkeygen request. Both calls come before its
/// certificate is issued: when one throws, none is.
class KeyTaker {
 public:
  virtual ~KeyTaker() = default;
  /// It is known whose key it will be, and no key is made yet.
  virtual void prepare(const std::string& username, const ServerKeys& keys) = 0;
  /// Has it made, in the form in which it will leave; its public half.
  [[nodiscard]] virtual crypto::PublicKey take(ServerKeys& keys, const crypto::KeySpec& spec) = 0;
};

/// From an authenticated request to its certificate: Authorisation decides, the Issuer makes it.
/// Any thread.
class Enrollment final {
 public:
  Enrollment(Issuer& issuer, const EndEntityStore& entities, const CaKeys& keys,
             ServerKeys& server_keys, const Clock& clock)
      : issuer_(issuer),
        entities_(entities),
        authorisation_(entities, issuer.registry(), clock),
        keys_(keys),
        server_keys_(server_keys) {}

  /// The CSR's signature must have been verified, but for serverkeygen, which ignores it
  /// (EST-4.4.1-a), needs a `taker` and makes a new key pair for every request, once the request
  /// may have one. Throws what the taker throws, and what Authorisation::authorise, contents_for,
  /// server_key_spec, ServerKeys::generate and Issuer::issue throw; docs/messages.md, section
  /// "enrolment", lists them.
  [[nodiscard]] Enrolled enroll(const Snapshot& snapshot, const Alias& alias,
                                const Identity& identity, Operation operation,
                                const crypto::Csr& csr, KeyTaker* taker = nullptr);

  /// The same decisions, as far as they get; nothing is issued or recorded. Fills `explanation` on
  /// the way and throws what enroll() would throw, but for the token's errors. A `taker` is
  /// prepared and gets nothing.
  void explain(const Request& request, Explanation& explanation, KeyTaker* taker) const;

 private:
  [[nodiscard]] PreparedCertificate prepared(const Request& request, const Grant& grant,
                                             const crypto::PublicKey& subject_key) const;
  [[nodiscard]] crypto::IssuedCertificate issued(const Request& request, const Grant& grant,
                                                 const crypto::PublicKey& key) const;
  [[nodiscard]] Enrolled with_server_key(const Request& request, const Grant& grant,
                                         KeyTaker& taker);

  Issuer& issuer_;
  const EndEntityStore& entities_;
  const Authorisation authorisation_;
  const CaKeys& keys_;
  ServerKeys& server_keys_;
};

}  // namespace estia::ca
