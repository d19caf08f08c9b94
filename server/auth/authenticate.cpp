// SPDX-License-Identifier: Apache-2.0
#include "server/auth/authenticate.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "server/auth/basic.h"
#include "server/auth/client_certificate.h"
#include "server/auth/password.h"

namespace estia::auth {
namespace {

bool accepts(const ca::Alias& alias, ca::Authenticator authenticator) {
  return std::find(alias.authenticators.begin(), alias.authenticators.end(), authenticator) !=
         alias.authenticators.end();
}

[[noreturn]] void refuse_password(std::string why) {
  throw Error(ErrorCode::unauthenticated, "auth.wrong_password", "wrong user name or password",
              std::move(why));
}

const ca::Account* find_account(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                std::string_view user) {
  const auto found = std::find_if(
      snapshot.accounts.begin(), snapshot.accounts.end(),
      [&](const ca::Account& each) { return each.alias == alias.name && each.user == user; });
  return found == snapshot.accounts.end() ? nullptr : &*found;
}

}  // namespace

ca::Identity Authentication::authenticate(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                          ca::Operation operation, const Presented& presented) {
  if (operation == ca::Operation::simplereenroll) {
    if (auto identity = by_certificate(snapshot, alias, presented, /*tolerated=*/false)) {
      return std::move(*identity);
    }
    throw Error(ErrorCode::forbidden, "auth.certificate_required",
                "re-enrolment needs the certificate to be renewed as TLS client certificate");
  }
  const bool basic = accepts(alias, ca::Authenticator::basic);
  std::optional<ca::Identity> account;
  if (basic && presented.authorization) {
    account = by_password(snapshot, alias, presented);
  }
  for (const ca::Authenticator authenticator : alias.authenticators) {
    std::optional<ca::Identity> identity =
        authenticator == ca::Authenticator::basic
            ? std::move(account)
            : by_certificate(snapshot, alias, presented, /*tolerated=*/basic);
    if (identity) {
      return std::move(*identity);
    }
  }
  if (basic) {
    throw Error(ErrorCode::unauthenticated, "auth.required", "authentication is required");
  }
  throw Error(ErrorCode::forbidden, "auth.required", "a client certificate of this CA is required");
}

ca::Identity Authentication::by_password(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                         const Presented& presented) {
  const std::optional<BasicCredentials> credentials = parse_basic(*presented.authorization);
  if (!credentials) {
    refuse_password("the Authorization field is not well-formed Basic");
  }
  const std::string name = alias.name + "/" + credentials->user;
  const Instant now = clock_.now();
  back_off_.check(name, presented.address, now);
  const ca::Account* account = find_account(snapshot, alias, credentials->user);
  const bool right = verify_password(account != nullptr ? account->password : dummy_password_hash(),
                                     credentials->password.text());
  if (account == nullptr || !right) {
    back_off_.failed(name, presented.address, now);
    refuse_password(account == nullptr ? "no such account" : "wrong password for " + name);
  }
  back_off_.succeeded(name, presented.address);
  return ca::Identity::ra_account(alias.name, credentials->user);
}

std::optional<ca::Identity> Authentication::by_certificate(const ca::Snapshot& snapshot,
                                                           const ca::Alias& alias,
                                                           const Presented& presented,
                                                           bool tolerated) const {
  if (presented.chain.empty()) {
    return std::nullopt;
  }
  try {
    return identify_certificate(snapshot.ca(alias.ca), registry_, presented.chain, clock_.now());
  } catch (const Error& error) {
    if (!tolerated || error.code() != ErrorCode::forbidden) {
      throw;
    }
    return std::nullopt;
  }
}

}  // namespace estia::auth
