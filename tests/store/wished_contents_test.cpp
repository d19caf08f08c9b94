// SPDX-License-Identifier: Apache-2.0
// A request proposes, the profile decides (T8): what is returned is, byte for byte, what the policy
// makes of the granted names and the key, or nothing at all.
#include "server/ca/contents.h"
#include "tests/store/renewal_fixture.h"
#include "tests/support/refusal.h"
#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::store::test {
namespace {

using crypto::Extension;
using crypto::ForgedCsr;

/// DER of an extension's value, as hexadecimal.
Extension raw(const char* oid, bool critical, const std::string& hex) {
  return {oid, critical, from_hex(hex)};
}

/// What a request may wish for and no profile here grants.
const std::vector<std::pair<const char*, Extension>>& wishes() {
  static const std::vector<std::pair<const char*, Extension>> all{
      {"CA:TRUE", crypto::basic_constraints_ca(-1)},
      {"keyCertSign", crypto::key_usage({"keyCertSign", "cRLSign"})},
      {"other key usage", crypto::key_usage({"keyAgreement"})},
      {"serverAuth", crypto::extended_key_usage({std::string(crypto::oid::kServerAuth)})},
      {"cmcRA", crypto::extended_key_usage(
                    {std::string(crypto::oid::kClientAuth), std::string(crypto::oid::kCmcRa)})},
      {"any purpose", crypto::extended_key_usage({"2.5.29.37.0"})},
      // privateKeyUsagePeriod from 2000 to 2049
      {"long validity", raw("2.5.29.16", false,
                            "3022800f32303030303130313030303030305a810f32303439313233313233353935"
                            "395a")},
      {"another key identifier", crypto::subject_key_identifier(Bytes(20, 1))},
      {"another issuer's key", crypto::authority_key_identifier(Bytes(20, 2))},
      {"CRL address", crypto::crl_distribution_points({"http://evil.example/crl"})},
      {"OCSP address", crypto::authority_info_access({}, {"http://evil.example/ocsp"})},
      {"policies", raw("2.5.29.32", false, "3006300406022900")},
      {"name constraints", raw("2.5.29.30", true, "3000")},
      {"issuer's other names", raw("2.5.29.18", false, "3003820161")},
      {"no check by OCSP", raw("1.3.6.1.5.5.7.48.1.5", false, "0500")},
      {"unknown and critical", raw("1.3.6.1.4.1.99999.1", true, "0500")},
  };
  return all;
}

class WishedContents : public RenewalTest {
 protected:
  WishedContents() {
    profile().crl_distribution_points = {"http://pki.example/a.crl"};
    profile().ocsp = {"http://pki.example/ocsp"};
  }
  ca::CertificateProfile& profile() { return snapshot_.certificate_profiles.at("device"); }

  Got issue(const ca::Identity& identity, ca::Operation operation, const Bytes& der) {
    const auto csr = crypto::Csr::parse(der);
    csr.verify_signature();
    const auto enrolled = enrollment_now_.enroll(snapshot_, alias_, identity, operation, csr);
    return {enrolled.certificate.parsed(), enrolled.kind};
  }
  ca::Identity by_certificate(const crypto::Certificate& certificate, ca::Operation operation) {
    const std::string address = "192.0.2.7";
    const std::vector<crypto::Certificate> chain{certificate};
    return now_authentication_
        .authenticate(snapshot_, alias_, operation, {chain, std::nullopt, address})
        .value();
  }
  /// What the policy makes of these names and this key, whatever else stood in the request.
  Bytes policy(const crypto::Certificate& made, const std::string& subject,
               const std::vector<std::string>& sans, const crypto::PublicKey& key) {
    const crypto::Certificate& issuer = authority_.ca.certificate();
    return crypto::build_tbs(
        ca::contents_for(
            {.ca = "issuing",
             .issuer = issuer.subject(),
             .issuer_key_identifier = issuer.subject_key_identifier(),
             .issuer_not_before = issuer.not_before(),
             .issuer_not_after = issuer.not_after(),
             .issuer_key = issuer.public_key(),
             .profile = &profile(),
             .subject = crypto::Name::from_text(subject),
             .san = sans.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_texts(sans),
             .subject_key = key},
            made.serial(), now_.at),
        crypto::SignatureAlgorithm::for_key(issuer.public_key()));
  }
  void expect_policy(const crypto::Certificate& made, const std::string& subject,
                     const std::vector<std::string>& sans, const crypto::PublicKey& key,
                     const std::string& why) {
    EXPECT_EQ(to_hex(made.tbs()), to_hex(policy(made, subject, sans, key))) << why;
    EXPECT_EQ(store_->registry().find(made.serial())->tbs, made.tbs()) << why;
  }

  ca::Issuer issuer_now_{store_->registry(), now_};
  ca::Enrollment enrollment_now_{issuer_now_, store_->end_entities(), keys_, server_keys_, now_};
};

/// Each wish alone, then all at once, by a registration authority, by a device that renews, and by
/// a code: the same bytes as without them.
TEST_F(WishedContents, TheCertificateIsThePolicysByteForByte_T8) {
  std::vector<std::pair<std::string, std::vector<Extension>>> requests{{"nothing", {}}};
  std::vector<Extension> everything;
  for (const auto& [name, wish] : wishes()) {
    requests.push_back({name, {wish}});
    if (std::ranges::none_of(everything, [&](const auto& each) { return each.oid == wish.oid; })) {
      everything.push_back(wish);
    }
  }
  requests.push_back({"everything", everything});
  const std::vector<std::string> sans{"dns:one.acme.example"};
  const auto old = as_ra(new_key(), "CN=device-0", sans);
  for (const auto& [why, extensions] : requests) {
    const auto csr = [&](const crypto::PrivateKey& key, const std::string& subject) {
      return estia::test::make_csr_der(key, subject, sans, {}, extensions);
    };
    auto key = new_key();
    expect_policy(issue(ra(), ca::Operation::simpleenroll, csr(key, "CN=device-1")).certificate,
                  "CN=device-1", sans, key.public_key(), "ra: " + why);
    for (const auto operation : {ca::Operation::simpleenroll, ca::Operation::simplereenroll}) {
      key = new_key();
      expect_policy(
          issue(by_certificate(old, operation), operation, csr(key, "CN=device-0")).certificate,
          "CN=device-0", sans, key.public_key(), "itself: " + why);
    }
  }
}

/// Where end entities are registered the names are wishes too.
TEST_F(WishedContents, ARegisteredEndEntityGetsItsRegisteredNames_T8) {
  store_->end_entities().add({.username = "device-9",
                              .ca = "issuing",
                              .end_entity_profile = "device",
                              .certificate_profile = "device",
                              .subject = crypto::Name::from_text("CN=device-9,O=Acme"),
                              .san = crypto::GeneralNames::from_texts({"dns:nine.acme.example"}),
                              .created_at = now_.at},
                             event("entity.added"));
  store_->end_entities().set_code("device-9",
                                  {.id = Bytes(16, 9),
                                   .hash = auth::hash_generated_secret(Secret("the code")),
                                   .uses_left = 100},
                                  event("code.set"));
  alias_.mode = ca::AliasMode::client;
  alias_.authenticators = {ca::Authenticator::code};
  alias_.code_source = ca::CodeSource::basic;
  const std::string address = "192.0.2.7";
  const std::optional<std::string> header = "Basic " + base64_encode(as_bytes("device-9:the code"));
  for (const auto& [name, wish] : wishes()) {
    for (const std::string subject : {"CN=device-1", "CN=evil,O=Evil", "CN=device-9,O=Evil"}) {
      const auto identity = now_authentication_.authenticate(
          snapshot_, alias_, ca::Operation::simpleenroll, {{}, header, address});
      const auto key = new_key();
      const Bytes csr = estia::test::make_csr_der(
          key, subject, {"dns:evil.example", "dns:nine.acme.example"}, {}, {wish});
      expect_policy(issue(identity.value(), ca::Operation::simpleenroll, csr).certificate,
                    "CN=device-9,O=Acme", {"dns:nine.acme.example"}, key.public_key(),
                    subject + ", " + name);
    }
  }
}

struct Refused {
  const char* why;
  Bytes csr;
  const char* id;
  const char* says;  ///< in its text or detail
};

Bytes common_name(std::string_view value, std::uint8_t tag = 0x0C) {
  return der::sequence(
      {der::set_of({der::sequence({der::oid("2.5.4.3"), der::tlv(tag, as_bytes(value))})})});
}

Bytes csr_named(const Bytes& subject, const std::vector<Bytes>& attributes = {}) {
  ForgedCsr forged;
  forged.subject = subject;
  return forged.with(attributes).der();
}

/// So many one-letter DNS names: 3 bytes each, so that the request is not too large.
Bytes csr_with_names(std::size_t count, const std::string& name) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    list += "\x82" + std::string(1, static_cast<char>(name.size())) + name;
  }
  return csr_named(
      common_name("device-1"),
      {crypto::extension_request({{"2.5.29.17", false, der::tlv(0x30, as_bytes(list))}})});
}

/// What no policy could make a certificate of is a 4xx, and nothing is recorded.
TEST_F(WishedContents, WhatIsNotIgnoredIsRefused_T8) {
  using std::string_literals::operator""s;
  const auto san =
      crypto::subject_alt_name(crypto::GeneralNames::from_texts({"dns:a.acme.example"}), false);
  const auto constraints = crypto::basic_constraints_ca(-1);
  const Bytes name = common_name("device-1");
  const std::vector<Refused> rows_of_table{
      {"two CNs", estia::test::make_csr_der(new_key(), "CN=device-1,CN=device-2"),
       "malformed enroll.subject_attribute", "CN stands twice"},
      {"a CN out of scope", estia::test::make_csr_der(new_key(), "CN=evil"),
       "forbidden enroll.outside_scope", "CN=evil"},
      {"an extra SAN",
       estia::test::make_csr_der(new_key(), "CN=device-1",
                                 {"dns:a.acme.example", "dns:evil.example"}),
       "forbidden enroll.outside_scope", "dns=evil.example"},
      {"two SAN extensions", csr_named(name, {crypto::extension_request({san, san})}),
       "malformed csr.malformed", "2.5.29.17 stands twice"},
      {"two basicConstraints",
       csr_named(name, {crypto::extension_request({constraints, constraints})}),
       "malformed csr.malformed", "2.5.29.19 stands twice"},
      {"two extension requests",
       csr_named(name,
                 {crypto::extension_request({san}), crypto::extension_request({constraints})}),
       "malformed csr.malformed", "1.2.840.113549.1.9.14 stands twice"},
      {"NUL in CN", csr_named(common_name("device-1\0.evil"s)), "malformed csr.malformed",
       "control character"},
      {"NUL in a BMPString", csr_named(common_name("\0d\0\0"s, 0x1E)), "malformed csr.malformed",
       "control character"},
      {"right to left in CN", csr_named(common_name("device-\u202E1")),
       "malformed enroll.name_character", "U+202E"},
      {"zero width in CN", csr_named(common_name("device-\u200B1")),
       "malformed enroll.name_character", "U+200B"},
      {"NUL in a SAN", csr_with_names(1, "a.acme.example\0.evil"s), "malformed csr.malformed",
       "dNSName"},
      {"10,000 SANs", csr_with_names(10000, "a"), "malformed csr.malformed", "more than 100 names"},
      {"10,000 long SANs", csr_with_names(10000, "long-name.acme.example"),
       "malformed csr.malformed", "over 64 KiB"},
      {"one SAN more than the profile allows", csr_with_names(21, "a"),
       "malformed enroll.san_count", "too many"},
  };
  for (const Refused& row : rows_of_table) {
    try {
      static_cast<void>(issue(ra(), ca::Operation::simpleenroll, row.csr));
      ADD_FAILURE() << row.why << " was issued";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(to_string(error.code())) + " " + error.id(), row.id) << row.why;
      EXPECT_NE((error.what() + error.detail()).find(row.says), std::string::npos)
          << row.why << ": " << error.what() << error.detail();
    }
    EXPECT_EQ(rows(), 0) << row.why;
    EXPECT_EQ(entities(), 0) << row.why;
  }
  // The faults above were theirs, and not the way these requests are made.
  for (const Bytes& good :
       {csr_named(name), csr_named(common_name("\0d\0e\0v\0i\0c\0e\0-\0001"s, 0x1E)),
        csr_with_names(1, "a.acme.example")}) {
    EXPECT_EQ(estia::test::refusal(
                  [&] { static_cast<void>(issue(ra(), ca::Operation::simpleenroll, good)); }),
              "none");
  }
}

}  // namespace
}  // namespace estia::store::test
