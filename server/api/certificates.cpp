// SPDX-License-Identifier: Apache-2.0
#include "server/api/certificates.h"

#include "crypto/x509/certificate.h"
#include "server/api/certificate_json.h"
#include "server/api/json.h"
#include "server/provision/revoke.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 4096;

http::Response show(const Management& management, const Bytes& serial) {
  const std::optional<ca::CertificateRecord> record = management.registry.find(serial);
  if (!record) {
    throw Error(ErrorCode::not_found, "registry.unknown_serial",
                "there is no certificate with this serial number", to_hex(serial));
  }
  Json value = record_json(*record);
  value["certificate"] = nullptr;
  if (!record->certificate.empty()) {
    value["certificate"] = crypto::Certificate::parse(record->certificate).to_pem();
  }
  return json_response(value);
}

/// What an operation leaves behind is its answer.
http::Response revoke(const Management& management, const Call& call) {
  const Bytes serial = provision::parse_serial(call.captured.at(0));
  JsonObject body = body_of(call.request);
  const int reason = provision::parse_reason(body.optional_text("reason").value_or("unspecified"));
  body.finish();
  provision::revoke(management.registry, management.clock, call.who, serial, reason);
  return show(management, serial);
}

using Change = void (*)(ca::Registry&, const Clock&, const std::string&, const Bytes&);

http::Response change(const Management& management, const Call& call, Change how) {
  const Bytes serial = provision::parse_serial(call.captured.at(0));
  body_of(call.request).finish();
  how(management.registry, management.clock, call.who, serial);
  return show(management, serial);
}

}  // namespace

std::vector<Route> certificates_routes(const Management& management) {
  return {
      {"GET",
       {"certificates", "*"},
       0,
       [&](const Call& call) {
         return show(management, provision::parse_serial(call.captured.at(0)));
       }},
      {"POST",
       {"certificates", "*", "revoke"},
       kBodyLimit,
       [&](const Call& call) { return revoke(management, call); }},
      {"POST",
       {"certificates", "*", "hold"},
       kBodyLimit,
       [&](const Call& call) { return change(management, call, provision::hold); }},
      {"POST",
       {"certificates", "*", "release"},
       kBodyLimit,
       [&](const Call& call) { return change(management, call, provision::release); }},
  };
}

}  // namespace estia::api
