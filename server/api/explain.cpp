// SPDX-License-Identifier: Apache-2.0
#include "server/api/explain.h"

#include "server/api/json.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 256U << 10U;

std::optional<std::string> authorization_of(JsonObject& body) {
  const std::optional<std::string> user = body.optional_text("user");
  if (!user) {
    return std::nullopt;
  }
  const Secret password = body.secret("password");
  const Secret credentials(*user + ":" + std::string(password.text()));
  return "Basic " + base64_encode(credentials.view());
}

/// Wipes the credentials on every way out.
class Wiped final {
 public:
  explicit Wiped(std::optional<std::string>& text) : text_(text) {}
  ~Wiped() {
    if (text_) {
      cleanse(*text_);
    }
  }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Wiped(Wiped&&) = delete;
  Wiped& operator=(Wiped&&) = delete;

 private:
  std::optional<std::string>& text_;
};

Json refusal_json(const std::optional<Error>& refusal) {
  if (!refusal) {
    return nullptr;
  }
  const http::Response answer = http::error_response(*refusal);
  return {{"id", refusal->id()},
          {"status", answer.status},
          {"told", std::string(refusal->what())},
          {"detail", refusal->detail()}};
}

std::string outcome_of(const ca::Explanation& explanation) {
  if (explanation.refusal) {
    return "refused";
  }
  return explanation.repeats.empty() ? "issued" : "repeated";
}

http::Response explain(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  ca::Question question{.alias = body.optional_text("alias").value_or("est"),
                        .operation = body.optional_text("operation").value_or("simpleenroll"),
                        .body = body.text("csr")};
  if (const auto pem = body.optional_text("certificates")) {
    question.chain = crypto::Certificate::parse_pem(*pem);
  }
  question.authorization = authorization_of(body);
  question.accept = body.optional_text("accept");
  body.finish();
  const Wiped wiped(question.authorization);
  const ca::Explanation answer = management.explain(question);
  return json_response(
      {{"outcome", outcome_of(answer)},
       {"refusal", refusal_json(answer.refusal)},
       {"configuration", answer.config_version},
       {"alias", question.alias},
       {"operation", question.operation},
       {"mode", text_or_null(answer.mode)},
       {"role", text_or_null(answer.role)},
       {"who", text_or_null(answer.who)},
       {"channel_binding", answer.binding_unchecked ? "present, not checked" : "absent"},
       {"kind", text_or_null(answer.kind)},
       {"username", text_or_null(answer.username)},
       {"creates_entity", answer.creates_entity},
       {"ca", text_or_null(answer.ca)},
       {"end_entity_profile", text_or_null(answer.end_entity_profile)},
       {"certificate_profile", text_or_null(answer.certificate_profile)},
       {"subject", text_or_null(answer.subject)},
       {"san", answer.san},
       {"repeats", text_or_null(answer.repeats)},
       {"key_delivery", text_or_null(answer.key_delivery)}});
}

}  // namespace

std::vector<Route> explain_routes(const Management& management) {
  return {{"POST", {"explain"}, kBodyLimit, [&](const Call& call) {
             return explain(management, call);
           }}};
}

}  // namespace estia::api
