// SPDX-License-Identifier: Apache-2.0
#include "server/auth/authenticate.h"

#include <algorithm>

#include "server/auth/client_certificate.h"
#include "server/auth/foreign_certificate.h"
#include "server/auth/password.h"
#include "server/ca/naming.h"

namespace estia::auth {
namespace {

using ca::Authenticator;

constexpr std::chrono::seconds kNoGrace{0};
constexpr std::optional<Error>* kNotTolerated = nullptr;

bool takes_codes(const ca::Alias& alias) {
  return alias.accepts(Authenticator::code);
}

/// Whether there is something to challenge with.
bool has_http_authentication(const ca::Alias& alias) {
  return alias.takes_accounts() ||
         (takes_codes(alias) && alias.code_source == ca::CodeSource::basic);
}

bool code_is_in_csr(const ca::Alias& alias) {
  return takes_codes(alias) && alias.code_source != ca::CodeSource::basic;
}

ErrorCode refusal_code(const ca::Alias& alias) {
  return has_http_authentication(alias) ? ErrorCode::unauthenticated : ErrorCode::forbidden;
}

const ca::Account* find_account(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                std::string_view user) {
  const auto found = std::find_if(
      snapshot.accounts.begin(), snapshot.accounts.end(),
      [&](const ca::Account& each) { return each.alias == alias.name && each.user == user; });
  return found == snapshot.accounts.end() ? nullptr : &*found;
}

/// Both must hold, and the narrower rights count: a device's certificate stays a device's.
std::optional<ca::Identity> narrower(std::optional<ca::Identity> certificate,
                                     std::optional<ca::Identity> account) {
  if (!certificate || !account) {
    return std::nullopt;
  }
  return certificate->role() == ca::Role::ra ? std::move(account) : std::move(certificate);
}

/// What `judge` makes of a certificate. Where `passed_over` is given, one that is refused counts as
/// absent, and the reason is kept there.
template <class Judge>
std::optional<ca::Identity> tolerating(std::optional<Error>* passed_over, Judge&& judge) {
  try {
    return judge();
  } catch (const Error& error) {
    if (passed_over == nullptr || error.code() != ErrorCode::forbidden) {
      throw;
    }
    if (!*passed_over) {
      passed_over->emplace(error);  // the first judge is the one for certificates of our own
    }
    return std::nullopt;
  }
}

/// For the log: why what the client brought counts for nothing.
std::string reason_of(const std::optional<Error>& passed_over) {
  return passed_over ? passed_over->id() + ": " + passed_over->detail() : std::string();
}

}  // namespace

Error Authentication::wrong_credentials(const ca::Alias& alias, std::string why) {
  return {refusal_code(alias), kWrongPassword, "wrong user name or password", std::move(why)};
}

std::optional<ca::Identity> Authentication::authenticate(const ca::Snapshot& snapshot,
                                                         const ca::Alias& alias,
                                                         ca::Operation operation,
                                                         const Presented& presented) {
  if (operation == ca::Operation::simplereenroll) {
    if (auto identity =
            by_certificate(snapshot, alias, presented, kNotTolerated, alias.expired_grace)) {
      return identity;
    }
    throw Error(ErrorCode::forbidden, "auth.certificate_required",
                "re-enrolment needs the certificate to be renewed as TLS client certificate");
  }
  std::optional<Error> passed_over;
  // serverkeygen serves first and repeated requests (EST-4.4-d): who comes with a certificate of
  // its own and nothing else renews it, whatever a first enrolment needs here.
  if (operation == ca::Operation::serverkeygen && !presented.authorization) {
    auto own = by_certificate(snapshot, alias, presented, &passed_over, alias.expired_grace);
    if (own && own->role() == ca::Role::self) {
      return own;
    }
  }
  // Where something else may still give a role, a certificate that gives none counts as absent.
  const bool otherwise = has_http_authentication(alias) || code_is_in_csr(alias) ||
                         (alias.accepts(Authenticator::vendor_certificate) &&
                          alias.accepts(Authenticator::client_certificate));
  std::optional<Error>* const tolerated = otherwise ? &passed_over : kNotTolerated;
  const std::optional<ca::Identity> header = by_header(snapshot, alias, presented);
  for (const Authenticator authenticator : alias.authenticators) {
    std::optional<ca::Identity> identity;
    switch (authenticator) {
      case Authenticator::client_certificate:
        identity = by_certificate(snapshot, alias, presented, tolerated, kNoGrace);
        break;
      case Authenticator::basic:
        identity = header;
        break;
      case Authenticator::certificate_and_basic:
        identity =
            narrower(by_certificate(snapshot, alias, presented, kNotTolerated, kNoGrace), header);
        break;
      case Authenticator::vendor_certificate:
        identity = by_vendor(snapshot, alias, presented, tolerated);
        break;
      case Authenticator::code:
        if (code_is_in_csr(alias)) {
          return std::nullopt;  // in its turn: what stands before it in the list has come first
        }
        identity = header;
        break;
    }
    if (identity) {
      return identity;
    }
  }
  if (!presented.chain.empty() && alias.accepts(Authenticator::vendor_certificate) &&
      !has_http_authentication(alias)) {
    throw Error(ErrorCode::forbidden, "auth.certificate_untrusted",
                "the client certificate is not trusted here",
                "client certificate " + to_hex(presented.chain.front().serial()) +
                    " is neither one of ours nor a vendor's that is good here");
  }
  throw Error(refusal_code(alias), "auth.required",
              has_http_authentication(alias) ? "authentication is required"
                                             : "a client certificate of this CA is required",
              reason_of(passed_over));
}

std::optional<ca::Identity> Authentication::by_header(const ca::Snapshot& snapshot,
                                                      const ca::Alias& alias,
                                                      const Presented& presented) {
  if (!has_http_authentication(alias) || !presented.authorization) {
    return std::nullopt;
  }
  const std::optional<BasicCredentials> credentials = parse_basic(*presented.authorization);
  if (!credentials) {
    throw wrong_credentials(alias, "the Authorization field is not well-formed Basic");
  }
  // An alias has accounts or codes, never both: one user name means one thing.
  return alias.takes_accounts()
             ? by_account(snapshot, alias, *credentials, presented.address)
             : by_code(alias, credentials->user, credentials->password.text(), presented.address);
}

ca::Identity Authentication::by_account(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                        const BasicCredentials& credentials,
                                        const std::string& address) {
  const std::string name = alias.name + "/" + credentials.user;
  const Instant now = clock_.now();
  back_off_.check(name, address, now);
  const ca::Account* account = find_account(snapshot, alias, credentials.user);
  const bool right = passwords_.matches(account, credentials.password.text(),
                                        PasswordCheck::cost_of(snapshot, alias));
  if (!right) {
    back_off_.failed(name, address, now);
    throw wrong_credentials(alias,
                            account == nullptr ? "no such account" : "wrong password for " + name);
  }
  back_off_.succeeded(name, address);
  return ca::Identity::ra_account(proof(), alias.name, credentials.user);
}

ca::Identity Authentication::authenticate_by_csr(const ca::Snapshot& snapshot,
                                                 const ca::Alias& alias, const crypto::Csr& csr,
                                                 const Presented& presented) {
  crypto::Name subject = csr.subject();
  std::optional<std::string> code = csr.challenge_password();
  if (alias.code_source == ca::CodeSource::dn_part) {
    code = ca::value_of(csr.subject(), alias.code_field);
    subject = ca::without_field(subject, alias.code_field);
  }
  if (!code || code->empty()) {
    std::optional<Error> passed_over;
    static_cast<void>(by_certificate(snapshot, alias, presented, &passed_over, kNoGrace));
    throw Error(refusal_code(alias), "auth.required",
                "an enrolment code or a client certificate is required", reason_of(passed_over));
  }
  const std::string username = ca::username_in(subject, alias.username_field);
  const Secret secret(*code);
  cleanse(*code);
  return by_code(alias, username, secret.text(), presented.address);
}

ca::Identity Authentication::by_code(const ca::Alias& alias, const std::string& username,
                                     std::string_view code, const std::string& address) {
  const std::string name = "code of " + ca::username_key(username);
  const Instant now = clock_.now();
  back_off_.check(name, address, now);
  std::optional<ca::EndEntity> entity = entities_.find(username);
  const std::vector<ca::EnrollmentCode> codes =
      entity ? entities_.codes(username, now) : std::vector<ca::EnrollmentCode>{};
  const ca::EnrollmentCode* used = nullptr;
  for (const ca::EnrollmentCode& each : codes) {
    if (verify_password(each.hash, code)) {
      used = &each;
    }
  }
  if (codes.empty()) {
    static_cast<void>(verify_password(dummy_password_hash(), code));  // costs the same (D16)
  }
  // Whether the code has uses left is decided with the intent, so that it is decided once; a spent
  // one still finds the answer to the request that spent it (EST-4.2.3-f).
  if (used == nullptr || entity->disabled) {
    back_off_.failed(name, address, now, as_bytes(code));
    throw wrong_credentials(alias, !entity           ? "no such end entity"
                                   : used == nullptr ? "wrong code for " + name
                                                     : "the end entity is disabled");
  }
  if (used->uses_left > 0) {
    back_off_.succeeded(name, address);
  }
  return ca::Identity::code(proof(), std::move(*entity), *used);
}

Error Authentication::spent_code(const ca::Alias& alias, const ca::Identity& identity,
                                 const std::string& address, const Error& reason) {
  back_off_.failed("code of " + ca::username_key(identity.entity()->username), address,
                   clock_.now(), identity.code_id());
  return wrong_credentials(alias, identity.who() + " is used up (" + reason.id() + ")");
}

std::optional<ca::Identity> Authentication::by_certificate(const ca::Snapshot& snapshot,
                                                           const ca::Alias& alias,
                                                           const Presented& presented,
                                                           std::optional<Error>* passed_over,
                                                           std::chrono::seconds grace) const {
  if (presented.chain.empty()) {
    return std::nullopt;
  }
  return tolerating(passed_over, [&] {
    const crypto::Certificate& leaf = presented.chain.front();
    if (is_foreign_ra(snapshot, alias, leaf)) {
      check_foreign_ra(snapshot, alias, presented.chain, clock_.now());
      return ca::Identity::foreign_ra(proof(), leaf);
    }
    KnownCertificate known =
        identify_certificate(snapshot, alias, registry_, presented.chain, clock_.now(), grace);
    return known.registration_authority
               ? ca::Identity::ra_certificate(proof(), leaf, std::move(known.record))
               : ca::Identity::self(proof(), leaf, std::move(known.record));
  });
}

std::optional<ca::Identity> Authentication::by_vendor(const ca::Snapshot& snapshot,
                                                      const ca::Alias& alias,
                                                      const Presented& presented,
                                                      std::optional<Error>* passed_over) const {
  if (presented.chain.empty()) {
    return std::nullopt;
  }
  return tolerating(passed_over, [&] {
    check_foreign_certificate(snapshot, alias.vendor_anchors, presented.chain, clock_.now());
    return ca::Identity::vendor(proof(), presented.chain.front());
  });
}

}  // namespace estia::auth
