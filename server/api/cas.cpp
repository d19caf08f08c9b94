// SPDX-License-Identifier: Apache-2.0
#include "server/api/cas.h"

#include <utility>

#include "server/api/certificate_json.h"

namespace estia::api {
namespace {

Json ca_json(const ca::CertificationAuthority& ca) {
  Json value{{"name", ca.name}, {"key", ca.key_uri}};
  value.update(certificate_json(ca.certificate()));
  std::string chain;
  for (const crypto::Certificate& certificate : ca.chain) {
    chain += certificate.to_pem();
  }
  value["chain"] = chain;
  return value;
}

http::Response list(const Management& management) {
  Json cas = Json::array();
  const auto snapshot = management.snapshot();
  for (const auto& [name, ca] : snapshot->cas) {
    cas.push_back(ca_json(ca));
  }
  return json_response({{"cas", std::move(cas)}});
}

http::Response show(const Management& management, const std::string& name) {
  const auto snapshot = management.snapshot();
  const auto found = snapshot->cas.find(name);
  if (found == snapshot->cas.end()) {
    throw Error(ErrorCode::not_found, "ca.unknown", "there is no CA '" + name + "'");
  }
  return json_response(ca_json(found->second));
}

}  // namespace

std::vector<Route> cas_routes(const Management& management) {
  return {
      {"GET", {"cas"}, 0, [&](const Call&) { return list(management); }},
      {"GET",
       {"cas", "*"},
       0,
       [&](const Call& call) { return show(management, call.captured.at(0)); }},
  };
}

}  // namespace estia::api
