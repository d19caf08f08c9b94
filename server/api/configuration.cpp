// SPDX-License-Identifier: Apache-2.0
#include "server/api/configuration.h"

#include "server/api/json.h"
#include "server/provision/configuration_document.h"

namespace estia::api {
namespace {

constexpr std::size_t kLargestDocument = 4U << 20U;
constexpr std::size_t kBodyLimit = 3 * kLargestDocument;  // line breaks take two bytes as JSON

/// What messages call a document whose sender gave it no name.
constexpr const char* kNameless = "document";

std::string document_of(JsonObject& body) {
  std::string document = body.text("document");
  if (document.size() > kLargestDocument) {
    throw Error(ErrorCode::too_large, "api.document_too_large",
                "a configuration has at most 4 MiB");
  }
  return document;
}

http::Response show(const Management& management) {
  const provision::ExportedConfiguration exported =
      provision::export_configuration(management.configuration);
  return json_response({{"version", exported.version}, {"document", exported.document}});
}

http::Response check(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  const std::string document = document_of(body);
  const std::string source = body.optional_text("source").value_or(kNameless);
  body.finish();
  const provision::CheckReport report =
      provision::check(document, source, management.configuration);
  if (report.changes.anything()) {
    management.check_keys(provision::parse(document, source).contents);
  }
  Json needs = Json::array();
  for (const provision::NeededPassword& needed : report.needs) {
    needs.push_back({{"alias", needed.alias},
                     {"user", needed.user},
                     {"password_file", needed.password_file},
                     {"generated", needed.generated}});
  }
  Json answer = changes_json(report.changes);
  answer["needs"] = std::move(needs);
  answer["diff"] = report.diff;
  return json_response(answer);
}

provision::Passwords passwords_of(JsonObject& body) {
  provision::Passwords passwords;
  for (JsonObject& entry : body.objects("passwords")) {
    const std::string alias = entry.text("alias");
    const std::string user = entry.text("user");
    const bool fresh = passwords.emplace(std::pair(alias, user), entry.secret("password")).second;
    entry.finish();
    if (!fresh) {
      throw Error(ErrorCode::malformed, "api.member",
                  "passwords: account " + alias + "/" + user + " stands twice");
    }
  }
  return passwords;
}

http::Response replace(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  provision::ApplyRequest request{.document = document_of(body),
                                  .source = body.optional_text("source").value_or(kNameless),
                                  .passwords = passwords_of(body),
                                  .who = call.who,
                                  .replaces = body.optional_number("replaces")};
  body.finish();
  return json_response(changes_json(management.apply(request)));
}

}  // namespace

Json changes_json(const provision::ApplyReport& report) {
  return {{"version", report.version},
          {"added", report.added},
          {"changed", report.changed},
          {"removed", report.removed},
          {"warnings", report.warnings}};
}

std::vector<Route> configuration_routes(const Management& management) {
  return {
      {"GET", {"configuration"}, 0, [&](const Call&) { return show(management); }},
      {"PUT",
       {"configuration"},
       kBodyLimit,
       [&](const Call& call) { return replace(management, call); }},
      {"POST",
       {"configuration", "check"},
       kBodyLimit,
       [&](const Call& call) { return check(management, call); }},
  };
}

}  // namespace estia::api
