// SPDX-License-Identifier: Apache-2.0
// What `estia explain` tells of requests that are refused: whom they are about, and the rule.
#include <nlohmann/json.hpp>

#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

using nlohmann::json;

class Explain : public ManagedSite {
 protected:
  Explain() : ManagedSite("CN=dev-*") {}

  /// The same request as of the registration authority that `estia init` made.
  json of_account(const Device& device) const {
    const auto password = client->new_file(".password");
    write_new_file(password, installation.password(), FileMode::secret);
    return explain("est", device,
                   {"--user", installation.user(), "--password-file", password.string()});
  }
  json explain(const std::string& alias, const Device& device,
               const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"explain", "--json", "--alias",
                                       alias,     "--csr",  device.csr.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(estia_ok(arguments));
  }
};

TEST_F(Explain, TheEndEntityOfANameOutsideTheScope) {
  const json told = of_account(client->make_device("/CN=other-1"));
  EXPECT_EQ(told.at("refusal").at("id"), "enroll.outside_scope");
  EXPECT_EQ(told.at("username"), "other-1");
  EXPECT_EQ(told.at("ca"), "issuing");
  EXPECT_TRUE(told.at("subject").is_null()) << "it would get no name";
}

TEST_F(Explain, ADisabledEndEntity) {
  Device device = client->make_device("/CN=dev-1");
  const json before = of_account(device);
  EXPECT_EQ(before.at("outcome"), "issued");
  EXPECT_EQ(before.at("creates_entity"), true);
  client->enroll(device);
  EXPECT_EQ(of_account(client->make_device("/CN=dev-1")).at("creates_entity"), false);
  estia_ok({"entity", "disable", "--username", "dev-1"});
  const json told = of_account(client->make_device("/CN=dev-1"));
  EXPECT_EQ(told.at("refusal").at("id"), "entity.disabled");
  EXPECT_EQ(told.at("username"), "dev-1");
}

TEST_F(Explain, NobodyWithoutAUsername) {
  const json told = of_account(client->make_device("/O=Acme"));
  EXPECT_EQ(told.at("outcome"), "refused");
  EXPECT_TRUE(told.at("username").is_null()) << told;
}

TEST_F(Explain, AnAliasThatIsNot) {
  const json told = explain("nothing", client->make_device("/CN=dev-1"));
  EXPECT_EQ(told.at("refusal").at("id"), "route.unknown_alias");
  EXPECT_EQ(told.at("refusal").at("told"), "unknown label") << "as the client is told";
}

/// As the client will see it, and the reason that the client will not see.
TEST_F(Explain, ASpentCodeIsAWrongOneAndTheDetailSaysWhy) {
  ASSERT_TRUE(add_configuration(
      "[[alias]]\nname = \"http\"\nca = \"issuing\"\nmode = \"client\"\ncode_source = \"basic\"\n"
      "username_field = \"CN\"\n"));
  register_entity("dev-2", "CN=dev-2");
  const std::string code = new_code("dev-2");
  const auto file = client->new_file(".code");
  write_new_file(file, code, FileMode::secret);
  const auto by_code = [&](const Device& device) {
    return explain("http", device, {"--user", "dev-2", "--password-file", file.string()});
  };
  const Device device = client->make_device("/CN=dev-2");
  EXPECT_EQ(by_code(device).at("outcome"), "issued");
  const auto enroll = [&](const Device& which) {
    return client->post("http/simpleenroll", EstClient::csr_base64(which), {"-u", "dev-2:" + code});
  };
  ASSERT_EQ(enroll(device).status, 200);
  EXPECT_EQ(by_code(device).at("outcome"), "repeated");
  const Device other = client->make_device("/CN=dev-2");
  const json told = by_code(other);
  EXPECT_EQ(told.at("refusal").at("id"), "auth.wrong_password");
  EXPECT_EQ(told.at("refusal").at("status"), enroll(other).status);
  EXPECT_EQ(told.at("username"), "dev-2");
  const std::string detail = told.at("refusal").at("detail");
  EXPECT_NE(detail.find("used up"), std::string::npos) << detail;
}

}  // namespace
}  // namespace estia::e2e
