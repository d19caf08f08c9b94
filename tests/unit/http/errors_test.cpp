// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "server/http/router.h"

namespace estia::http {
namespace {

TEST(Errors, EachCategoryHasItsStatus) {  // HTTP status by operation and case
  const std::vector<std::pair<ErrorCode, int>> table = {
      {ErrorCode::malformed, 400}, {ErrorCode::unauthenticated, 401},
      {ErrorCode::forbidden, 403}, {ErrorCode::not_found, 404},
      {ErrorCode::too_large, 413}, {ErrorCode::unsupported_media, 415},
      {ErrorCode::conflict, 409},  {ErrorCode::too_many, 429},
      {ErrorCode::busy, 503},      {ErrorCode::token, 503},
      {ErrorCode::store, 503},     {ErrorCode::config, 500},
      {ErrorCode::internal, 500},
  };
  for (const auto& [code, status] : table) {
    const Response response = error_response(Error(code, "some.id", "told", "detail"));
    EXPECT_EQ(response.status, status) << to_string(code);
    EXPECT_EQ(response.headers.find("Retry-After").has_value(), status == 429 || status == 503);
    EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.log_id, "some.id");
    EXPECT_EQ(response.body.find("detail"), std::string::npos);
  }
}

TEST(Errors, OurOwnFailuresAreNotTold) {
  for (const ErrorCode code : {ErrorCode::config, ErrorCode::internal}) {
    const Response response = error_response(Error(code, "some.id", "secret", "more"));
    EXPECT_EQ(response.body, "internal error\n");
    EXPECT_EQ(response.log_detail, "secret: more");
  }
}

}  // namespace
}  // namespace estia::http
