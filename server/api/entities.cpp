// SPDX-License-Identifier: Apache-2.0
#include "server/api/entities.h"

#include <limits>

#include "server/api/certificate_json.h"
#include "server/api/json.h"
#include "server/provision/entity.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 64U * 1024U;
constexpr std::uint64_t kMostListed = 1000;
constexpr std::size_t kMostShown = 20;

Json to_json(const ca::EndEntity& entity) {
  return {{"username", entity.username},
          {"ca", entity.ca},
          {"end_entity_profile", entity.end_entity_profile},
          {"certificate_profile", entity.certificate_profile},
          {"subject", entity.subject.text()},
          {"san", entity.san.texts()},
          {"disabled", entity.disabled},
          {"created_at", utc_text(entity.created_at)}};
}

/// With its codes, which are shown as what they are good for and nothing else, and its newest
/// certificates: whoever is to revoke one needs its serial number.
http::Response show(const Management& management, const std::string& username) {
  const std::optional<ca::EndEntity> entity = management.entities.find(username);
  if (!entity) {
    throw Error(ErrorCode::not_found, "entity.unknown", "this end entity is not registered",
                username);
  }
  Json value = to_json(*entity);
  value["codes"] = Json::array();
  for (const ca::EnrollmentCode& code :
       management.entities.codes(username, management.clock.now())) {
    value["codes"].push_back(
        {{"uses_left", code.uses_left},
         {"expires_at", code.expires_at ? Json(utc_text(*code.expires_at)) : Json()}});
  }
  value["certificates"] = Json::array();
  for (const ca::CertificateRecord& record :
       management.registry.of_end_entity(entity->username, kMostShown)) {
    value["certificates"].push_back(record_json(record));
  }
  return json_response(value);
}

http::Response add(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const provision::EntityPlan plan{.username = body.text("username"),
                                   .ca = body.text("ca"),
                                   .end_entity_profile = body.text("end_entity_profile"),
                                   .certificate_profile = body.text("certificate_profile"),
                                   .subject = body.text("subject"),
                                   .san = body.texts("san")};
  body.finish();
  return json_response(
      to_json(provision::register_entity(plan, *management.snapshot(), management.entities,
                                         management.clock, call.who)),
      201);
}

http::Response list(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const std::string after = body.optional_text("after").value_or("");
  const std::uint64_t limit =
      std::min(body.optional_number("limit").value_or(kMostListed), kMostListed);
  body.finish();
  const auto entities = management.entities.list(after, static_cast<std::size_t>(limit));
  Json value{{"entities", Json::array()}, {"next", nullptr}};
  for (const ca::EndEntity& entity : entities) {
    value["entities"].push_back(to_json(entity));
  }
  if (entities.size() == limit && !entities.empty()) {
    value["next"] = entities.back().username;
  }
  return json_response(value);
}

std::string only_username(const Call& call) {
  JsonObject body = body_of(call.request);
  std::string username = body.text("username");
  body.finish();
  return username;
}

http::Response set_disabled(const Management& management, const Call& call, bool disabled) {
  const std::string username = only_username(call);
  provision::set_entity_disabled(username, disabled, management.entities, management.clock,
                                 call.who);
  return show(management, username);
}

/// The one time that a code is seen.
http::Response make_code(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  provision::CodePlan plan{.username = body.text("username")};
  constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
  plan.uses = static_cast<int>(std::min(body.optional_number("uses").value_or(1), kMost));
  if (const auto seconds = body.optional_number("seconds")) {
    plan.valid = std::chrono::seconds(std::min(*seconds, kMost));
  }
  body.finish();
  const provision::NewCode made =
      provision::make_code(plan, management.entities, management.clock, call.who);
  return json_response(
      {{"username", plan.username},
       {"code", std::string(made.code.text())},
       {"uses", plan.uses},
       {"expires_at", made.expires_at ? Json(utc_text(*made.expires_at)) : Json()}},
      201);
}

http::Response remove_codes(const Management& management, const Call& call) {
  const std::string username = only_username(call);
  provision::remove_codes(username, management.entities, management.clock, call.who);
  return show(management, username);
}

}  // namespace

std::vector<Route> entities_routes(const Management& management) {
  const auto post = [&](std::vector<std::string_view> path, auto answer) {
    return Route{"POST", std::move(path), kBodyLimit,
                 [&management, answer](const Call& call) { return answer(management, call); }};
  };
  return {
      post({"entities"}, add),
      post({"entities", "list"}, list),
      post({"entities", "show"},
           [](const Management& m, const Call& call) { return show(m, only_username(call)); }),
      post({"entities", "enable"},
           [](const Management& m, const Call& call) { return set_disabled(m, call, false); }),
      post({"entities", "disable"},
           [](const Management& m, const Call& call) { return set_disabled(m, call, true); }),
      post({"codes"}, make_code),
      post({"codes", "remove"}, remove_codes),
  };
}

}  // namespace estia::api
