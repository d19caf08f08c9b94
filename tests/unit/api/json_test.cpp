// SPDX-License-Identifier: Apache-2.0
#include "server/api/json.h"

#include <gtest/gtest.h>

#include "tests/support/refusal.h"

namespace estia::api {
namespace {

using test::refusal;

http::Request with(const std::string& body, const std::string& type = "application/json") {
  http::Request request;
  request.body = body;
  if (!type.empty()) {
    request.headers.add("Content-Type", type);
  }
  return request;
}

std::string refused(const std::string& body) {
  return refusal([&] { body_of(with(body)).finish(); });
}

TEST(Json, OnlyOneObjectInStrictSyntaxIsTaken) {
  EXPECT_EQ(refused("{}"), "none");
  EXPECT_EQ(refused(""), "none");
  for (const char* body :
       {"{", "{}x", "{} {}", "[]", "\"text\"", "null", "1", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "// x\n{}", "{\"a\":NaN}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\n\"}"}) {
    EXPECT_EQ(refused(body), "malformed api.json") << body;
  }
}

TEST(Json, AMemberThatStandsTwiceIsRefusedAtEveryLevel) {
  EXPECT_EQ(refused(R"({"a":1,"b":{"c":1},"a":2})"), "malformed api.json");
  EXPECT_EQ(refused(R"({"a":[{"c":1,"c":1}]})"), "malformed api.json");
  JsonObject same = body_of(with(R"({"list":[{"c":"1"},{"c":"2"}]})"));
  EXPECT_EQ(same.objects("list").size(), 2U);
}

TEST(Json, DepthIsBounded) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_EQ(refused(nested(15)), "malformed api.member");  // read, but unknown
  EXPECT_EQ(refused(nested(17)), "malformed api.json");
  EXPECT_EQ(refused(nested(1'000'000)), "malformed api.json");
}

TEST(Json, MembersHaveTheTypeMeantAndNoneIsLeftOver) {
  const std::string body = R"({"t":"x","n":7,"o":[{"p":"secret"}],"z":null})";
  JsonObject object = body_of(with(body));
  EXPECT_EQ(object.text("t"), "x");
  EXPECT_EQ(object.optional_number("n"), 7U);
  EXPECT_EQ(object.optional_text("z"), std::nullopt);
  EXPECT_EQ(refusal([&] { object.finish(); }), "malformed api.member");  // "o"
  std::vector<JsonObject> inner = object.objects("o");
  ASSERT_EQ(inner.size(), 1U);
  EXPECT_EQ(inner[0].secret("p").text(), "secret");
  EXPECT_NO_THROW(object.finish());
  EXPECT_NO_THROW(inner[0].finish());
  for (const std::function<void()>& wrong :
       std::vector<std::function<void()>>{[&] { static_cast<void>(object.text("n")); },
                                          [&] { static_cast<void>(object.text("absent")); },
                                          [&] { static_cast<void>(object.text("z")); },
                                          [&] { static_cast<void>(object.optional_number("t")); },
                                          [&] { static_cast<void>(object.objects("t")); },
                                          [&] { static_cast<void>(object.secret("n")); },
                                          [&] { static_cast<void>(object.secret("absent")); }}) {
    EXPECT_EQ(refusal(wrong), "malformed api.member");
  }
  for (const char* number : {"-1", "1.5", "\"1\"", "1e3", "18446744073709551616"}) {
    JsonObject odd = body_of(with(std::string("{\"n\":") + number + "}"));
    EXPECT_EQ(refusal([&] { static_cast<void>(odd.optional_number("n")); }), "malformed api.member")
        << number;
  }
}

TEST(Json, NoMessageRepeatsWhatWasSent) {
  for (const char* body : {"{\"password\":\"hunter2\" x", "{\"password\":hunter2}",
                           "{\"password\":\"hunter2\",\"password\":\"hunter2\"}"}) {
    try {
      static_cast<void>(body_of(with(body)));
      FAIL() << body;
    } catch (const Error& error) {
      EXPECT_EQ((std::string(error.what()) + error.detail()).find("hunter2"), std::string::npos)
          << error.what();
    }
  }
}

TEST(Json, ABodyMustSayThatItIsJson) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8"}) {
    EXPECT_NO_THROW(static_cast<void>(body_of(with("{}", type)))) << type;
  }
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jso",
                           "application/jsonp"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(body_of(with("{}", type))); }),
              "unsupported_media api.media_type")
        << type;
  }
}

TEST(Json, ErrorsTellTheOperatorWhatAPeerWouldNotHear) {
  const http::Response config =
      error_response(Error(ErrorCode::config, "config.value", "ca.toml:3: alias[est]: no", "more"));
  EXPECT_EQ(config.status, 422);
  EXPECT_EQ(
      Json::parse(config.body),
      (Json{{"id", "config.value"}, {"error", "ca.toml:3: alias[est]: no"}, {"detail", "more"}}));
  const http::Response ours =
      error_response(Error(ErrorCode::internal, "snapshot.missing", "internal error", "where"));
  EXPECT_EQ(ours.status, 500);
  EXPECT_EQ(ours.body.find("where"), std::string::npos);
  EXPECT_NE(ours.log_detail.find("where"), std::string::npos);
  EXPECT_EQ(error_response(Error(ErrorCode::conflict, "config.version", "x")).status, 409);
  EXPECT_EQ(error_response(Error(ErrorCode::token, "token.gone", "x")).status, 503);
}

TEST(Json, AnAnswerIsAlwaysUtf8) {
  const http::Response response = json_response({{"name",
                                                  "a\xff"
                                                  "b"}});
  EXPECT_EQ(Json::parse(response.body)["name"],
            "a\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace estia::api
