// SPDX-License-Identifier: Apache-2.0
#include "server/est/explain.h"

#include <array>
#include <optional>

#include "crypto/base/error.h"
#include "server/auth/authenticate.h"
#include "server/est/channel_binding.h"
#include "server/est/enroll.h"
#include "server/est/request_body.h"
#include "server/est/spent_code.h"

namespace estia::est {
namespace {

ca::Operation operation_of(const ca::Alias& alias, const std::string& name) {
  constexpr std::array kOperations{ca::Operation::simpleenroll, ca::Operation::simplereenroll,
                                   ca::Operation::serverkeygen};
  for (const ca::Operation operation : kOperations) {
    const bool served = operation != ca::Operation::serverkeygen || alias.makes_keys();
    if (served && name == to_string(operation)) {
      return operation;
    }
  }
  throw Error(ErrorCode::not_found, "route.unknown", "no such operation");
}

bool holds_binding(const ca::Alias& alias, const ca::Identity& identity, const crypto::Csr& csr) {
  const bool challenge =
      csr.challenge_password() && challenge_of(alias, identity) == Challenge::binding;
  return alias.channel_binding != ca::ChannelBindingPolicy::off &&
         (challenge || csr.est_identity_linking());
}

/// As Enroll::certify, which has the reasons for this order.
void decide(const ca::Question& question, const Deciders& deciders, ca::Explanation& explanation) {
  const auto snapshot = deciders.snapshots.current();
  explanation.config_version = snapshot->version;
  const ca::Alias* alias = snapshot->find_alias(question.alias);
  if (alias == nullptr) {
    throw Error(ErrorCode::malformed, "route.unknown_alias", "unknown label",
                "there is no alias of that name");
  }
  explanation.mode = alias->mode == ca::AliasMode::client ? "client" : "ra";
  const ca::Operation operation = operation_of(*alias, question.operation);
  // Its own: failures here are no client's.
  auth::Authentication authentication(deciders.registry, deciders.entities, deciders.clock);
  const std::string address = "management";
  const auth::Presented presented{question.chain, question.authorization, address};
  std::optional<ca::Identity> identity =
      authentication.authenticate(*snapshot, *alias, operation, presented);
  const auto tell_who = [&] {
    if (identity) {
      explanation.role = to_string(identity->role());
      explanation.who = identity->who();
    }
  };
  telling_no_spent_code(authentication, *alias, identity, address, [&] {
    tell_who();
    const crypto::Csr csr = csr_in(question.body, operation);
    if (!identity) {
      identity = authentication.authenticate_by_csr(*snapshot, *alias, csr, presented);
      tell_who();
    }
    explanation.binding_unchecked = holds_binding(*alias, *identity, csr);
    if (alias->channel_binding == ca::ChannelBindingPolicy::required &&
        !explanation.binding_unchecked) {
      throw missing_linking();
    }
    std::optional<KeyDelivery::Order> order;
    if (operation == ca::Operation::serverkeygen) {
      order.emplace(deciders.delivery.order(*alias, csr,
                                            {.chain = question.chain, .accept = question.accept}));
    }
    deciders.enrollment.explain({*snapshot, *alias, *identity, operation, csr}, explanation,
                                order ? &*order : nullptr);
    explanation.key_delivery = order ? order->text() : "";
  });
}

}  // namespace

ca::Explanation explain(const ca::Question& question, const Deciders& deciders) {
  ca::Explanation explanation;
  try {
    decide(question, deciders, explanation);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::store) {
      throw;
    }
    explanation.refusal = error;
  }
  return explanation;
}

}  // namespace estia::est
