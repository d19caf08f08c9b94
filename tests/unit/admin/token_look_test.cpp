// SPDX-License-Identifier: Apache-2.0
// `estia token list` over several modules, good ones and broken ones; `estia token init --erase`.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "crypto/base/file.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

class TokenLook : public testing::Test {
 protected:
  [[nodiscard]] Finished list(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"token", "list"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.estia(arguments);
  }
  [[nodiscard]] std::string serial_of(const std::string& label) const {
    const std::string out = list({"--module", place_.module()}).out;
    const std::size_t at = out.find("label=" + label + "\tserial=");
    EXPECT_NE(at, std::string::npos) << out;
    const std::size_t begin = at + label.size() + 14;
    return out.substr(begin, out.find('\t', begin) - begin);
  }

  const Workplace place_;
};

TEST_F(TokenLook, ShowsLibrarySlotsAndTokens) {
  ASSERT_EQ(place_.token_init("factory").code, 0);
  const Finished text = list({"--module", place_.module()});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.out.find("module\t" + place_.module() + "\tdescription="), 0U) << text.out;
  EXPECT_NE(text.out.find("\tversion=2."), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("ready\tlabel=factory\tserial="), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\tmanufacturer=SoftHSM project\tslot="), std::string::npos) << text.out;
  const Finished json = list({"--module", place_.module(), "--json"});
  ASSERT_EQ(json.code, 0) << json.err;
  for (const char* member :
       {"\"loadable\": true", "\"named_by\": \"--module\"", "\"cryptoki\": \"2.40\"",
        "\"label\": \"factory\"", "\"initialised\": true", "\"user_pin_set\": true",
        "\"login_required\": true", "\"write_protected\": false", "\"final_try\": false",
        "\"sessions\": {"}) {
    EXPECT_NE(json.out.find(member), std::string::npos) << member << " in " << json.out;
  }
}

TEST_F(TokenLook, ALabelThatIsNoUtf8IsShownNevertheless) {
  ASSERT_EQ(place_.token_init("odd-\xff").code, 0);
  const Finished json = list({"--module", place_.module(), "--json"});
  ASSERT_EQ(json.code, 0) << json.err;
  EXPECT_NE(json.out.find("\"label\": \"odd-\xEF\xBF\xBD\""), std::string::npos) << json.out;
}

/// Without --module: what this machine has; one that cannot be used is no failure.
TEST_F(TokenLook, FindsTheModulesOfTheMachine) {
  ASSERT_EQ(place_.token_init("factory").code, 0);
  const Finished all = list({});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_NE(all.out.find("ready\tlabel=factory\t"), std::string::npos) << all.out;
  EXPECT_EQ(all.out.find("p11-kit-proxy"), std::string::npos) << all.out;
  EXPECT_EQ(all.err, "") << "what modules say is hidden";
}

TEST_F(TokenLook, ABrokenModuleSpoilsNoOther) {
  ASSERT_EQ(place_.token_init("factory").code, 0);
  for (const auto& [does, told] :
       {std::pair{"crash", "by signal 9"}, std::pair{"exit", "with status 7"},
        std::pair{"fail", "CKR_GENERAL_ERROR"}}) {
    ::setenv("ESTIA_BROKEN_MODULE_DOES", does, 1);
    const Finished both = list({"--module", ESTIA_BROKEN_MODULE, "--module", place_.module()});
    EXPECT_EQ(both.code, 1) << does;
    EXPECT_NE(both.out.find("ready\tlabel=factory\t"), std::string::npos) << both.out;
    EXPECT_NE(both.err.find("cannot be used as a PKCS#11 module"), std::string::npos) << both.err;
    EXPECT_NE(both.err.find(told), std::string::npos) << both.err;
    EXPECT_NE(both.err.find("[token.module]"), std::string::npos) << both.err;
    const Finished json = list({"--module", ESTIA_BROKEN_MODULE, "--json"});
    EXPECT_EQ(json.code, 1) << does;
    EXPECT_NE(json.out.find("\"loadable\": false"), std::string::npos) << json.out;
    EXPECT_EQ(json.out.find('{'), 0U) << json.out;
    EXPECT_NE(json.err.find("noise on out\n"), std::string::npos)
        << "shown, where it spoils nothing";
  }
}

TEST_F(TokenLook, AnInitialisedTokenIsErasedOnlyBySerialAndConsent) {
  ASSERT_EQ(place_.token_init("factory").code, 0);
  place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", "factory", "--login",
               "--pin", Workplace::kPin, "--keypairgen", "--key-type", "EC:prime256v1", "--label",
               "precious"});
  const std::string serial = serial_of("factory");
  const auto erase = [&](const std::string& which, std::vector<std::string> more) {
    std::vector<std::string> arguments{"token",         "init",
                                       "--module",      place_.module(),
                                       "--label",       "factory",
                                       "--so-pin-file", place_.path("so-pin").string(),
                                       "--pin-file",    place_.path("pin").string(),
                                       "--erase",       which};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.estia(arguments);
  };
  EXPECT_EQ(erase(serial, {}).code, 2) << "nobody can be asked";
  const Finished other = erase("0000", {"--yes"});
  EXPECT_NE(other.err.find("[token.not_found]"), std::string::npos) << other.err;
  replace_file(place_.path("so-pin"), "wrong-so-pin\n", FileMode::secret);
  const Finished wrong = erase(serial, {"--yes"});
  EXPECT_NE(wrong.err.find("[token.init]"), std::string::npos) << wrong.err;
  EXPECT_GE(place_.object_count(), 1U) << "nothing was erased";
  replace_file(place_.path("so-pin"), std::string(Workplace::kSoPin) + "\n", FileMode::secret);
  const Finished erased = erase(serial, {"--yes"});
  ASSERT_EQ(erased.code, 0) << erased.err;
  EXPECT_EQ(place_.object_count(), 0U);
  EXPECT_EQ(place_.token_count(), 1U);
}

}  // namespace
}  // namespace estia::test
