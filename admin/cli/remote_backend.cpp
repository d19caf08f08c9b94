// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/remote_backend.h"

#include "admin/cli/certificate_path.h"

namespace estia::admin {
namespace {

Changes changes_of(const Json& answer) {
  return {.version = answer.at("version"),
          .added = answer.at("added"),
          .changed = answer.at("changed"),
          .removed = answer.at("removed"),
          .warnings = answer.at("warnings")};
}

}  // namespace

Checked RemoteBackend::check(const std::string& document, const std::string& source) {
  const Json answer =
      client_.send("POST", "/configuration/check", {{"document", document}, {"source", source}});
  Checked checked{.changes = changes_of(answer), .diff = answer.at("diff")};
  for (const Json& needed : answer.at("needs")) {
    checked.needs.push_back({.alias = needed.at("alias"),
                             .user = needed.at("user"),
                             .file = needed.at("password_file"),
                             .generated = needed.at("generated")});
  }
  return checked;
}

Changes RemoteBackend::replace(const Replacement& wanted) {
  Json passwords = Json::array();
  for (const GivenPassword& given : wanted.passwords) {
    passwords.push_back({{"alias", given.alias},
                         {"user", given.user},
                         {"password", std::string(given.password.text())}});
  }
  return changes_of(client_.send("PUT", "/configuration",
                                 {{"document", wanted.document},
                                  {"source", wanted.source},
                                  {"replaces", wanted.replaces},
                                  {"passwords", std::move(passwords)}}));
}

std::string RemoteBackend::exported_configuration() {
  return client_.get("/configuration").at("document");
}

std::string RemoteBackend::revoke(const std::string& serial, const std::string& reason) {
  return change_certificate(client_, serial, "revoke", {{"reason", reason}}).at("serial");
}

}  // namespace estia::admin
