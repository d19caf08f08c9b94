// SPDX-License-Identifier: Apache-2.0
// The table itself: what is skipped, and that nothing is left behind.
#include "tests/hsm/suite.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kMostObjects = 100'000;

std::vector<std::string> lacking(const Capabilities& capabilities) {
  std::vector<std::string> names;
  for (const Capability& capability : Capability::known()) {
    const auto reason = capabilities.lacks(capability.name);
    if (reason) {
      names.emplace_back(capability.name);
      EXPECT_GT(reason->size(), 10U) << capability.name;
    }
  }
  return names;
}

using Names = std::vector<std::string>;

/// A cell that is skipped is one of these; another one is a change to this list.
TEST(StatedSkips, AreTheseAndNoOthers) {
  EXPECT_EQ(lacking(ModuleUnderTest::capabilities_of("softhsm")), Names{"serverkeygen-Ed25519"});
  EXPECT_EQ(lacking(ModuleUnderTest::capabilities_of("softokn")),
            (Names{"ca-keys", "Ed25519", "serverkeygen-Ed25519"}));
  EXPECT_EQ(lacking(Capabilities::parse("")), (Names{"sealing", "close-sessions", "wrong-pin"}));
}

TEST(StatedSkips, AreReadFromWords) {
  const auto said = Capabilities::parse("-P-521=no_such_curve, +wrong-pin\n-pss");
  EXPECT_EQ(said.lacks("P-521"), "no such curve");
  EXPECT_EQ(said.lacks("wrong-pin"), std::nullopt);
  EXPECT_EQ(said.lacks("P-256"), std::nullopt);
  EXPECT_NE(said.lacks("pss"), std::nullopt);
  EXPECT_THROW(static_cast<void>(Capabilities::parse("-P-123")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Capabilities::parse("P-256")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(said.lacks("P-123")), std::invalid_argument);
}

/// Found in review: "no such capability: d25519", and that 68 times.
TEST(StatedSkips, AForgottenSignIsToldAsThat) {
  try {
    static_cast<void>(Capabilities::parse("Ed25519"));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "+ or - is missing before a capability: Ed25519");
  }
}

/// Somebody else's token only: ours go with their folder. Runs last, and destroys what a cell that
/// died has left.
class Afterwards : public Suite {};

TEST_P(Afterwards, NothingOfThisRunIsInTheToken) {
  raw([](Attachment& attached, CK_SESSION_HANDLE session) {
    const Objects objects(attached.module(), session);
    Template all;
    all.flag(CKA_TOKEN, true);
    for (const CK_OBJECT_HANDLE object : objects.find(all, kMostObjects)) {
      const Bytes label = objects.bytes(object, CKA_LABEL).value_or(Bytes{});
      if (as_text(label).starts_with(label_prefix())) {
        ADD_FAILURE() << as_text(label) << " was left, and is destroyed now";
        objects.destroy(object);
      }
    }
  });
}

std::vector<std::string> of_somebody_else() {
  std::vector<std::string> names = ModuleUnderTest::names();
  std::erase_if(names, [](const std::string& name) { return name != "vendor"; });
  return names;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Afterwards);
INSTANTIATE_TEST_SUITE_P(, Afterwards,
                         ::testing::Combine(::testing::ValuesIn(of_somebody_else()),
                                            ::testing::Values(Signing::native)),
                         name_of);

}  // namespace
}  // namespace estia::hsm
