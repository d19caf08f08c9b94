// SPDX-License-Identifier: Apache-2.0
// `estia token` on a real SoftHSM.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/base/file.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

/// The 32 bytes of each initialised token's label, as the module gives them.
std::vector<std::string> raw_labels(const Workplace& place) {
  place.use();
  void* library = ::dlopen(place.module().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw std::runtime_error(::dlerror());
  }
  auto* get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* call = nullptr;
  get_list(&call);
  call->C_Initialize(nullptr);
  std::array<CK_SLOT_ID, 16> slots{};
  CK_ULONG count = slots.size();
  call->C_GetSlotList(CK_TRUE, slots.data(), &count);
  std::vector<std::string> labels;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    call->C_GetTokenInfo(slots[i], &info);
    if ((info.flags & CKF_TOKEN_INITIALIZED) != 0) {
      labels.emplace_back(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    }
  }
  call->C_Finalize(nullptr);
  return labels;
}

/// p11-kit's trust module shows only tokens that are initialised.
std::filesystem::path trust_module() {
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
    const auto module = folder.path() / "pkcs11/p11-kit-trust.so";
    if (std::filesystem::exists(module)) {
      return module;
    }
  }
  return {};
}

/// A shared library that is no PKCS#11 module.
std::filesystem::path libc() {
  ::Dl_info info{};
  ::dladdr(reinterpret_cast<void*>(&::getpid), &info);
  return info.dli_fname;
}

void expect_failure(const Finished& finished, const std::string& told) {
  EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
  EXPECT_EQ(finished.err.find("estia: error: "), 0U) << finished.err;
  EXPECT_NE(finished.err.find(told), std::string::npos) << finished.err;
  EXPECT_TRUE(finished.out.empty()) << finished.out;
}

TEST(TokenInit, MakesATokenWithPaddedLabelAndUserPin) {
  const Workplace place;
  const Finished made = place.token_init("factory");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("token factory is initialised, serial "), std::string::npos) << made.out;
  EXPECT_EQ(raw_labels(place), std::vector<std::string>{"factory" + std::string(25, ' ')});
  const std::string seen = place.tool({"pkcs11-tool", "--module", place.module(), "-L"});
  EXPECT_NE(seen.find("token label        : factory\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("PIN initialized"), std::string::npos) << seen;
  place.tool({"pkcs11-tool", "--module", place.module(), "--token-label", "factory", "--login",
              "--pin", Workplace::kPin, "-O"});
}

TEST(TokenInit, TakesALabelOf32BytesAndRefusesOneOf33) {
  const Workplace place;
  ASSERT_EQ(place.token_init(std::string(32, 'x')).code, 0);
  EXPECT_EQ(raw_labels(place), std::vector<std::string>{std::string(32, 'x')});
  expect_failure(place.token_init(std::string(33, 'y')), "1 to 32 bytes");
  EXPECT_EQ(place.token_count(), 1U);
}

TEST(TokenInit, RefusesALabelThatExists) {
  const Workplace place;
  ASSERT_EQ(place.token_init("factory").code, 0);
  const std::string before = place.tool({"pkcs11-tool", "--module", place.module(), "-L"});
  expect_failure(place.token_init("factory"), "labelled 'factory' exists already");
  EXPECT_EQ(place.tool({"pkcs11-tool", "--module", place.module(), "-L"}), before);
  EXPECT_EQ(place.token_count(), 1U);
  EXPECT_EQ(place.token_init("second").code, 0);
  EXPECT_EQ(place.token_count(), 2U);
}

TEST(TokenInit, RefusesLabelsThatNobodyCouldType) {
  const Workplace place;
  for (const char* label : {"", " x", "x ", "a\nb", "a\x1b[2J"}) {
    const Finished finished = place.token_init(label);
    EXPECT_NE(finished.code, 0) << label;
  }
  EXPECT_EQ(place.token_count(), 0U);
}

TEST(TokenInit, RefusesWhenNoTokenIsFree) {
  const Workplace place;
  const std::filesystem::path trust = trust_module();
  ASSERT_FALSE(trust.empty()) << "p11-kit-modules is not installed";
  expect_failure(
      place.estia({"token", "init", "--module", trust.string(), "--label", "x", "--so-pin-file",
                   place.path("so-pin").string(), "--pin-file", place.path("pin").string()}),
      "none is free");
}

TEST(TokenInit, RefusesPinsThatOthersCanReadOrThatAreNone) {
  const Workplace place;
  ASSERT_EQ(::chmod(place.path("pin").c_str(), 0640), 0);
  expect_failure(place.token_init("factory"), place.path("pin").string());
  ASSERT_EQ(::chmod(place.path("pin").c_str(), 0600), 0);
  replace_file(place.path("pin"), "123\n", FileMode::secret);
  expect_failure(place.token_init("factory"), "4 to 255 bytes");
  replace_file(place.path("pin"), "\n", FileMode::secret);
  EXPECT_EQ(place.token_init("factory").code, 1);
  replace_file(place.path("pin"), std::string(Workplace::kSoPin) + "\n", FileMode::secret);
  expect_failure(place.token_init("factory"), "must differ");
  EXPECT_EQ(place.token_count(), 0U);
}

TEST(TokenInit, RefusesAModuleThatIsNone) {
  const Workplace place;
  expect_failure(place.estia({"token", "list", "--module", place.path("softhsm2.conf").string()}),
                 "cannot be used as a PKCS#11 module");
  expect_failure(place.estia({"token", "list", "--module", libc().string()}),
                 "is not a PKCS #11 module");
  expect_failure(
      place.estia({"token", "init", "--module", libc().string(), "--label", "x", "--so-pin-file",
                   place.path("so-pin").string(), "--pin-file", place.path("pin").string()}),
      "C_GetFunctionList");
}

/// Found in review: it had no --module-args, and no token of a module that wants some could be
/// made. SoftHSM wants none, and refuses what it is given: so it is seen to arrive.
TEST(TokenInit, GivesTheModuleItsArguments) {
  const Workplace place;
  expect_failure(place.token_init("factory", {"--module-args", "x=y"}),
                 "cannot be used as a PKCS#11 module");
  EXPECT_EQ(place.token_count(), 0U);
  ASSERT_EQ(place.token_init("factory", {"--module-args", ""}).code, 0);
  expect_failure(place.token_init("new", {"--module-args", "x=y", "--erase", "0", "--yes"}),
                 "cannot be used as a PKCS#11 module");
}

TEST(TokenInit, TellsNoPin) {
  const Workplace place;
  for (const Finished& finished : {place.token_init("factory"), place.token_init("factory")}) {
    const std::string all = finished.out + finished.err;
    EXPECT_EQ(all.find(Workplace::kPin), std::string::npos) << all;
    EXPECT_EQ(all.find(Workplace::kSoPin), std::string::npos) << all;
  }
}

TEST(TokenList, ShowsFreeAndReadyTokens) {
  const Workplace place;
  ASSERT_EQ(place.token_init("factory").code, 0);
  const Finished listed = place.estia({"token", "list", "--module", place.module()});
  ASSERT_EQ(listed.code, 0) << listed.err;
  EXPECT_NE(listed.out.find("ready\tlabel=factory\tserial="), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("free\tlabel=\t"), std::string::npos) << listed.out;
}

}  // namespace
}  // namespace estia::test
