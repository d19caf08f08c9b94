// SPDX-License-Identifier: Apache-2.0
#include "server/provision/initialise.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "server/auth/password.h"
#include "server/ca/issuer.h"
#include "server/provision/initial_configuration.h"

namespace estia::provision {
namespace {

constexpr unsigned kPasswordBits = 192;  // D16: at least 128

/// Made apart, so that two CAs never carry one name: a client that trusts both must be able to
/// tell them.
std::string fresh_suffix() {
  Bytes bytes(4);
  random_fill(bytes);
  return to_hex(bytes);
}

crypto::Name server_subject(const crypto::GeneralNames& names) {
  constexpr std::size_t kLongestCommonName = 64;
  const std::string& first = names.names().front().text;
  return crypto::Name::from_attributes(
      {{.oid = {},
        .short_name = "CN",
        .value = first.size() <= kLongestCommonName ? first : "Estia EST server",
        .rdn = 0}});
}

/// Issues the three certificates of a new CA, each through the Issuer.
class FirstCertificates final {
 public:
  FirstCertificates(const InitialisePlan& plan, const InitialiseSeams& seams)
      : plan_(plan), issuer_(seams.registry, seams.clock) {}

  [[nodiscard]] crypto::Certificate root(const crypto::Name& subject,
                                         const crypto::PrivateKey& key) {
    ca::IssuanceRequest wanted = request(kRootCa, subject, key.public_key(), key.public_key());
    wanted.issuer = subject;
    return issue(std::move(wanted), kRootProfile, key);
  }

  [[nodiscard]] crypto::Certificate issuing(const crypto::Name& subject,
                                            const crypto::PublicKey& subject_key,
                                            const crypto::Certificate& root,
                                            const crypto::PrivateKey& root_key) {
    return issue(below(kRootCa, root, subject, subject_key), kIssuingProfile, root_key);
  }

  [[nodiscard]] crypto::Certificate tls_server(const crypto::PublicKey& subject_key,
                                               const crypto::Certificate& issuing,
                                               const crypto::PrivateKey& issuing_key) {
    ca::IssuanceRequest wanted =
        below(kIssuingCa, issuing, server_subject(plan_.server_names), subject_key);
    wanted.san = plan_.server_names;
    return issue(std::move(wanted), kTlsServerProfile, issuing_key);
  }

 private:
  [[nodiscard]] ca::IssuanceRequest request(std::string_view ca, const crypto::Name& subject,
                                            const crypto::PublicKey& issuer_key,
                                            const crypto::PublicKey& subject_key) const {
    return {.ca = std::string(ca),
            .issuer_key = issuer_key,
            .subject = subject,
            .subject_key = subject_key,
            .operation = "init",
            .who = plan_.who};
  }

  [[nodiscard]] ca::IssuanceRequest below(std::string_view ca, const crypto::Certificate& issuer,
                                          const crypto::Name& subject,
                                          const crypto::PublicKey& subject_key) const {
    ca::IssuanceRequest wanted = request(ca, subject, issuer.public_key(), subject_key);
    wanted.issuer = issuer.subject();
    wanted.issuer_key_identifier = issuer.subject_key_identifier();
    wanted.issuer_not_before = issuer.not_before();
    wanted.issuer_not_after = issuer.not_after();
    return wanted;
  }

  [[nodiscard]] crypto::Certificate issue(ca::IssuanceRequest wanted, std::string_view profile,
                                          const crypto::PrivateKey& key) {
    const auto found = std::ranges::find(profiles_, profile, &ca::CertificateProfile::name);
    wanted.profile = &*found;
    return issuer_.issue(issuer_.prepare(wanted), key).parsed();
  }

  const InitialisePlan& plan_;
  ca::Issuer issuer_;
  const std::vector<ca::CertificateProfile> profiles_ = initial_certificate_profiles();
};

ca::AuditEvent event(const InitialisePlan& plan, const Clock& clock, std::string what,
                     std::string object, std::string detail) {
  return {.at = clock.now(),
          .who = plan.who,
          .what = std::move(what),
          .outcome = "ok",
          .object = std::move(object),
          .detail = std::move(detail)};
}

void check(const InitialisePlan& plan) {
  if (plan.ra_scope.empty()) {
    throw Error(ErrorCode::config, "config.scope_missing",
                "say which names the account may ask for, or \"any\"");
  }
  if (plan.server_names.empty()) {
    throw Error(ErrorCode::config, "init.server_names", "the server needs a name or an address");
  }
}

}  // namespace

InitialisedCa initialise(const InitialisePlan& plan, KeysInTheMaking& keys,
                         const InitialiseSeams& seams) {
  check(plan);
  const std::string suffix = fresh_suffix();
  const auto subject_or = [&](const crypto::Name& chosen, const std::string& fallback) {
    return chosen.empty() ? crypto::Name::from_text("CN=" + fallback + " " + suffix) : chosen;
  };
  const std::string root_label = "estia-root-" + suffix;
  const std::string issuing_label = "estia-issuing-" + suffix;
  const crypto::PrivateKey root_key = keys.make(plan.root_key, root_label);
  const crypto::PrivateKey issuing_key = keys.make(plan.issuing_key, issuing_label);
  const std::string tls_label = "estia-tls-" + suffix;
  const auto tls_spec = crypto::KeySpec::parse("P-256");
  const crypto::PrivateKey tls_key = plan.tls_key_in_token
                                         ? keys.make(tls_spec, tls_label)
                                         : crypto::PrivateKey::generate_software(tls_spec);

  FirstCertificates certificates(plan, seams);
  const auto root = certificates.root(subject_or(plan.root_subject, "Estia Root CA"), root_key);
  const auto issuing = certificates.issuing(subject_or(plan.issuing_subject, "Estia Issuing CA"),
                                            issuing_key.public_key(), root, root_key);
  const auto tls = certificates.tls_server(tls_key.public_key(), issuing, issuing_key);

  const ca::CertificationAuthority root_ca{
      .name = std::string(kRootCa), .key_uri = keys.uri(root_label), .chain = {root}};
  const ca::CertificationAuthority issuing_ca{.name = std::string(kIssuingCa),
                                              .key_uri = keys.uri(issuing_label),
                                              .chain = {issuing, root}};
  for (const auto* ca : {&root_ca, &issuing_ca}) {
    seams.audit.append(event(plan, seams.clock, "ca.created", ca->name,
                             "subject=" + ca->certificate().subject().text() + " serial=" +
                                 to_hex(ca->certificate().serial()) + " key=" + ca->key_uri));
  }

  // Through the same gate as any document an operator applies.
  const std::string document = print(initial_configuration(root_ca, issuing_ca, plan.ra_scope));
  const ParsedConfiguration configuration = parse(document, "first configuration");
  InitialisedCa result{.root = root,
                       .issuing = issuing,
                       .tls_certificate = tls,
                       .tls_key = plan.tls_key_in_token ? Secret() : tls_key.to_pem(),
                       .tls_key_uri = plan.tls_key_in_token ? keys.uri(tls_label) : "",
                       .user = configuration.accounts.front().user,
                       .password = Secret(random_text(kPasswordBits))};
  seams.configuration.replace(0, document,
                              {{.alias = configuration.accounts.front().alias,
                                .user = result.user,
                                .password = auth::hash_generated_secret(result.password)}},
                              {}, event(plan, seams.clock, "config.replaced", "1", "estia init"));
  return result;
}

}  // namespace estia::provision
