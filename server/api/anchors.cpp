// SPDX-License-Identifier: Apache-2.0
#include "server/api/anchors.h"

#include <algorithm>
#include <utility>

#include "server/api/certificate_json.h"
#include "server/api/configuration.h"
#include "server/api/json.h"
#include "server/provision/anchors.h"
#include "server/provision/configuration_parts.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 64U << 10U;
constexpr std::size_t kCrlLimit = 24U << 20U;  // 16 MiB in base64
constexpr int kCreated = 201;

Json crl_json(const crypto::Crl& crl) {
  return {{"issuer", crl.issuer().text()},
          {"this_update", utc_text(crl.this_update())},
          {"next_update", crl.next_update() ? Json(utc_text(*crl.next_update())) : Json()},
          {"revoked", crl.size()}};
}

/// The aliases that have `anchor` in this list of theirs.
Json users_of(const ca::Snapshot& snapshot, std::vector<std::string> ca::Alias::*list,
              const std::string& anchor) {
  Json names = Json::array();
  for (const auto& [name, alias] : snapshot.aliases) {
    if (std::ranges::find(alias.*list, anchor) != (alias.*list).end()) {
      names.push_back(name);
    }
  }
  return names;
}

Json anchor_json(const ca::Snapshot& snapshot, const ca::TrustAnchor& anchor) {
  Json value{{"name", anchor.name},
             {"revocation", std::string(provision::to_string(anchor.revocation))},
             {"vendor_of", users_of(snapshot, &ca::Alias::vendor_anchors, anchor.name)},
             {"explicit_of", users_of(snapshot, &ca::Alias::trust_anchors, anchor.name)},
             {"crls", Json::array()}};
  for (const crypto::Crl& crl : anchor.crls) {
    value["crls"].push_back(crl_json(crl));
  }
  value.update(certificate_json(anchor.certificate));
  return value;
}

http::Response list(const Management& management) {
  const auto snapshot = management.snapshot();
  Json anchors = Json::array();
  for (const auto& [name, anchor] : snapshot->trust_anchors) {
    anchors.push_back(anchor_json(*snapshot, anchor));
  }
  return json_response({{"anchors", std::move(anchors)}});
}

/// What a person looks at before they add it; nothing is changed.
http::Response inspect(const Call& call) {
  JsonObject body = body_of(call.request);
  const auto certificates = crypto::Certificate::parse_pem(body.text("certificate"));
  body.finish();
  if (certificates.size() != 1) {
    throw Error(
        ErrorCode::malformed, "anchor.one_certificate",
        "a trust anchor is one certificate, these are " + std::to_string(certificates.size()));
  }
  return json_response(certificate_json(certificates.front()));
}

/// Puts the configuration in force that `edit` makes of the present one. `source` names it where it
/// is refused.
template <class Edit>
provision::ApplyReport change(const Management& management, const Call& call,
                              const std::string& source, Edit&& edit) {
  const provision::ExportedConfiguration present =
      provision::export_configuration(management.configuration);
  return management.apply({.document = edit(present.document),
                           .source = source,
                           .who = call.who,
                           .replaces = present.version});
}

http::Response add(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const provision::AnchorPlan plan{.name = body.text("name"),
                                   .certificate = body.text("certificate"),
                                   .revocation = body.text("revocation"),
                                   .vendor_of = body.texts("vendor_of"),
                                   .explicit_of = body.texts("explicit_of")};
  body.finish();
  return json_response(changes_json(change(management, call, "with trust anchor " + plan.name,
                                           [&](const std::string& document) {
                                             return provision::with_anchor(document, plan);
                                           })),
                       kCreated);
}

http::Response remove(const Management& management, const Call& call) {
  body_of(call.request).finish();
  const std::string& name = call.captured.at(0);
  return json_response(changes_json(change(
      management, call, "without trust anchor " + name,
      [&](const std::string& document) { return provision::without_anchor(document, name); })));
}

http::Response set_crl(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const provision::CrlRequest request{.anchor = call.captured.at(0),
                                      .crl = base64_decode(body.text("crl")),
                                      .issuers = body.optional_text("issuers").value_or(""),
                                      .who = call.who};
  body.finish();
  return json_response(crl_json(management.take_crl(request)));
}

}  // namespace

std::vector<Route> anchors_routes(const Management& management) {
  return {
      {"GET", {"anchors"}, 0, [&](const Call&) { return list(management); }},
      {"POST", {"anchors"}, kBodyLimit, [&](const Call& call) { return add(management, call); }},
      {"POST", {"anchors", "inspect"}, kBodyLimit, [](const Call& call) { return inspect(call); }},
      {"POST",
       {"anchors", "*", "remove"},
       kBodyLimit,
       [&](const Call& call) { return remove(management, call); }},
      {"POST",
       {"anchors", "*", "crl"},
       kCrlLimit,
       [&](const Call& call) { return set_crl(management, call); }},
  };
}

}  // namespace estia::api
