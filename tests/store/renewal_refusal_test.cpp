// SPDX-License-Identifier: Apache-2.0
// Certificates that renew nothing (T6).
#include "server/ca/issuer.h"
#include "tests/store/renewal_fixture.h"

namespace estia::store::test {
namespace {

using ca::Operation;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RenewalRefusal : public RenewalTest {
 protected:
  ca::CertificateProfile& profile() { return snapshot_.certificate_profiles.at("device"); }
  crypto::Certificate device() { return as_ra(new_key(), "CN=device-1"); }
  /// One that has other purposes than the profile gives now.
  crypto::Certificate device_for(const std::vector<std::string>& purposes,
                                 const std::vector<std::string>& key_usage = {"digitalSignature"}) {
    profile().extended_key_usage = purposes;
    profile().key_usage = key_usage;
    auto made = device();
    profile() = estia::test::device_profile();
    return made;
  }
  crypto::Certificate revoked_for(int reason) {
    auto made = device();
    revoke(made, reason);
    return made;
  }
  /// By the CA's own key, but not by this server.
  crypto::Certificate unrecorded() const {
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(authority_.key.public_key());
    const crypto::Certificate& issuer = authority_.ca.certificate();
    const auto key = new_key();
    const Bytes tbs = crypto::build_tbs(
        {.serial = ca::random_serial(),
         .issuer = issuer.subject(),
         .subject = crypto::Name::from_text("CN=device-1"),
         .not_before = now_.at - seconds(60),
         .not_after = now_.at + std::chrono::hours(1),
         .public_key = key.public_key(),
         .extensions = {crypto::subject_key_identifier(key.public_key().key_identifier()),
                        crypto::authority_key_identifier(issuer.subject_key_identifier()),
                        crypto::extended_key_usage({std::string(crypto::oid::kClientAuth)})}},
        algorithm);
    return crypto::assemble_certificate(tbs, algorithm, authority_.key.sign(tbs, algorithm))
        .parsed();
  }
};

/// Whoever may not renew, and that nothing is issued for them.
TEST_F(RenewalRefusal, RefusedCertificatesGetNothing_EST_4_2_2_f) {
  const auto good = device();
  const auto revoked = revoked_for(1);
  const auto held = revoked_for(ca::kCertificateHold);
  const auto superseded = revoked_for(ca::kSuperseded);
  const auto for_servers = device_for({std::string(crypto::oid::kServerAuth)});
  const auto for_anything = device_for({"2.5.29.37.0"});
  const auto of_an_ra = device_for({std::string(crypto::oid::kCmcRa)});
  const auto without_purpose = device_for({});
  const auto wrong_key_usage =
      device_for({std::string(crypto::oid::kClientAuth)}, {"nonRepudiation"});
  const auto forged = unrecorded();
  snapshot_.certificate_profiles.emplace("other", profile()).first->second.name = "other";
  alias_.certificate_profile = "other";
  const auto other_profile = as_ra(new_key(), "CN=device-2");
  alias_.certificate_profile = "device";
  const auto sister = estia::test::make_software_ca("sister");
  snapshot_.cas.emplace("sister", sister.ca);
  const auto other_names = as_ra(new_key(), "CN=device-3");
  alias_.ca = "sister";
  const std::int64_t before = rows();
  struct Row {
    const char* why;
    const crypto::Certificate& certificate;
    Instant at;
    const char* ca;
    const char* id;
  };
  const Instant now = now_.at;
  for (const Row& row : std::initializer_list<Row>{
           {"revoked", revoked, now, "issuing", "auth.certificate_revoked"},
           {"on hold", held, now, "issuing", "auth.certificate_revoked"},
           {"superseded", superseded, now, "issuing", "auth.certificate_revoked"},
           {"expired", good, good.not_after(), "issuing", "auth.certificate_untrusted"},
           {"not yet valid", good, good.not_before() - seconds(1), "issuing",
            "auth.certificate_untrusted"},
           {"serverAuth", for_servers, now, "issuing", "auth.certificate_untrusted"},
           {"any purpose", for_anything, now, "issuing", "auth.certificate_untrusted"},
           {"cmcRA alone", of_an_ra, now, "issuing", "auth.certificate_untrusted"},
           {"no purpose", without_purpose, now, "issuing", "auth.no_client_auth"},
           {"key usage", wrong_key_usage, now, "issuing", "auth.certificate_untrusted"},
           {"not recorded", forged, now, "issuing", "auth.certificate_unknown"},
           {"other CA", good, now, "sister", "auth.certificate_untrusted"},
           {"other profile", other_profile, now, "issuing", "own_certificate.other_profile"},
           {"other names", other_names, now, "issuing", "reenroll.names_differ"}}) {
    now_.at = row.at;
    alias_.ca = row.ca;
    const std::string subject = &row.certificate == &other_profile ? "CN=device-2" : "CN=device-1";
    EXPECT_EQ(refusal(row.certificate, csr_for(subject)), row.id) << row.why;
    EXPECT_EQ(rows(), before) << row.why;
    EXPECT_NE(refusal(row.certificate, csr_for(subject), Operation::simpleenroll), "") << row.why;
    EXPECT_EQ(rows(), before) << row.why;
  }
  now_.at = now;
  alias_.ca = "issuing";
  EXPECT_EQ(refusal(good, csr_for("CN=device-1")), "") << "the fault was not the request";
}

/// However short ago: the next request is refused.
TEST_F(RenewalRefusal, ARevocationOneMillisecondBeforeTheRequestCounts_T6) {
  for (const auto& [reason, id] : {std::pair{1, "auth.certificate_revoked"},
                                   std::pair{ca::kCertificateHold, "auth.certificate_revoked"},
                                   std::pair{ca::kSuperseded, "auth.certificate_revoked"}}) {
    for (const milliseconds ago : {milliseconds(1), milliseconds(0)}) {
      const auto certificate = device();
      EXPECT_EQ(refusal(certificate, csr_for("CN=device-1")), "") << "until then";
      const std::int64_t before = rows();
      revoke(certificate, reason);
      now_.at += ago;
      EXPECT_EQ(refusal(certificate, csr_for("CN=device-1")), id) << reason;
      EXPECT_EQ(rows(), before) << reason;
    }
  }
}

/// A clock that went back does not undo a revocation.
TEST_F(RenewalRefusal, ARevocationOfLaterCountsToo) {
  const auto certificate = device();
  revoke(certificate, 1);
  now_.at -= seconds(30);
  EXPECT_EQ(refusal(certificate, csr_for("CN=device-1")), "auth.certificate_revoked");
}

TEST_F(RenewalRefusal, ADisabledEndEntityRenewsNothing) {
  const auto certificate = device();
  store_->end_entities().set_disabled("device-1", true, event("entity.disabled"));
  const std::int64_t before = rows();
  EXPECT_EQ(refusal(certificate, csr_for("CN=device-1")), "entity.disabled");
  EXPECT_EQ(rows(), before);
}

}  // namespace
}  // namespace estia::store::test
