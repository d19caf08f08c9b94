// SPDX-License-Identifier: Apache-2.0
#include "server/api/decrypt_keys.h"

#include <algorithm>
#include <limits>

#include "crypto/base/error.h"
#include "server/api/json.h"
#include "server/provision/decrypt_key.h"

namespace estia::api {
namespace {

using Kind = ca::DecryptKeyKind;
using Owner = ca::DecryptKeyOwner;

constexpr std::size_t kBodyLimit = 64U << 10U;
constexpr std::uint64_t kMostListed = 1000;
constexpr int kCreated = 201;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "api.member", why);
}

Owner owner_in(JsonObject& body) {
  auto alias = body.optional_text("alias");
  auto username = body.optional_text("username");
  if (alias.has_value() == username.has_value()) {
    refuse("either alias or username is needed");
  }
  return alias ? Owner{Owner::Kind::alias, std::move(*alias)}
               : Owner{Owner::Kind::end_entity, std::move(*username)};
}

Kind kind_in(JsonObject& body) {
  const auto kind = ca::decrypt_key_kind(body.text("kind"));
  if (!kind) {
    refuse("kind: must be one of secret, certificate, password");
  }
  return *kind;
}

Bytes hex_in(std::string_view text, const char* member) {
  try {
    return from_hex(text);
  } catch (const Error&) {  // says nothing of the text: it may be a secret
    refuse(std::string(member) + ": must be hexadecimal digits");
  }
}

Bytes identifier_in(JsonObject& body) {
  return hex_in(body.optional_text("identifier").value_or(""), "identifier");
}

Secret secret_in(JsonObject& body, Kind kind) {
  Secret text = body.secret("secret");
  if (kind == Kind::password) {
    return text;
  }
  Bytes key = hex_in(text.text(), "secret");
  Secret secret{ByteView(key)};
  cleanse(key);
  return secret;
}

/// Never what is secret of it.
Json key_json(const ca::DecryptKey& key) {
  const ca::DecryptKeyName& name = key.name;
  Json value{{name.owner.kind == Owner::Kind::alias ? "alias" : "username", name.owner.name},
             {"kind", std::string(to_string(name.kind))},
             {"identifier", text_or_null(to_hex(name.identifier))}};
  if (name.kind == Kind::certificate) {
    const crypto::Certificate certificate = registered_certificate(key);
    value["subject"] = certificate.subject().text();
    value["not_after"] = utc_text(certificate.not_after());
  }
  value["created_at"] = utc_text(key.created_at);
  return value;
}

http::Response add(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  provision::DecryptKeyPlan plan{.owner = owner_in(body), .kind = kind_in(body)};
  if (plan.kind == Kind::certificate) {
    plan.certificate = body.text("certificate");
  } else {
    plan.secret = secret_in(body, plan.kind);
  }
  if (plan.kind == Kind::secret) {
    plan.identifier = identifier_in(body);
  }
  body.finish();
  return json_response(key_json(management.add_decrypt_key(plan, call.who)), kCreated);
}

/// Nobody's list is not an empty one.
void require_owner(const Management& management, const Owner& owner) {
  if (owner.kind == Owner::Kind::alias &&
      management.snapshot()->find_alias(owner.name) == nullptr) {
    throw Error(ErrorCode::config, "config.reference", "there is no alias '" + owner.name + "'");
  }
  if (owner.kind == Owner::Kind::end_entity && !management.entities.find(owner.name)) {
    throw Error(ErrorCode::not_found, "entity.unknown", "this end entity is not registered",
                owner.name);
  }
}

http::Response list(const Management& management, const Call& call) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::int64_t>::max();
  JsonObject body = body_of(call.request);
  const Owner owner = owner_in(body);
  const auto after =
      static_cast<std::int64_t>(std::min(body.optional_number("after").value_or(0), kLast));
  const auto limit = static_cast<std::size_t>(std::clamp<std::uint64_t>(
      body.optional_number("limit").value_or(kMostListed), 1, kMostListed));
  body.finish();
  require_owner(management, owner);
  const auto keys = management.decrypt_keys.list(owner, after, limit);
  Json value{{"decrypt_keys", Json::array()}, {"next", nullptr}};
  for (const ca::DecryptKey& key : keys) {
    value["decrypt_keys"].push_back(key_json(key));
  }
  if (keys.size() == limit && !keys.empty()) {
    value["next"] = keys.back().id;
  }
  return json_response(value);
}

http::Response remove(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const ca::DecryptKeyName name{owner_in(body), kind_in(body), identifier_in(body)};
  body.finish();
  provision::remove_decrypt_key(name, management.decrypt_keys, management.clock, call.who);
  return json_response({{"removed", true}});
}

}  // namespace

std::vector<Route> decrypt_keys_routes(const Management& management) {
  const auto post = [&](std::vector<std::string_view> path, auto answer) {
    return Route{"POST", std::move(path), kBodyLimit,
                 [&management, answer](const Call& call) { return answer(management, call); }};
  };
  return {post({"decrypt-keys"}, add), post({"decrypt-keys", "list"}, list),
          post({"decrypt-keys", "remove"}, remove)};
}

}  // namespace estia::api
