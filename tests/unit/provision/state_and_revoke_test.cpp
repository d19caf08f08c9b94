// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "server/provision/configuration_section.h"
#include "server/provision/key_purposes.h"
#include "server/provision/revoke.h"
#include "server/provision/state_layout.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"

namespace estia::provision {
namespace {

using test::refusal;

TEST(StateLock, ExcludesASecondHolderUntilItGoes) {
  const test::ScratchDirectory scratch;
  const StateLayout layout(scratch.path());
  {
    const StateLock held(layout);
    EXPECT_EQ(refusal([&] { const StateLock second(layout); }), "conflict state.locked");
    // Closing some other descriptor of the file must not give the lock away.
    static_cast<void>(read_file(layout.lock()));
    EXPECT_EQ(refusal([&] { const StateLock third(layout); }), "conflict state.locked");
  }
  EXPECT_EQ(refusal([&] { const StateLock again(layout); }), "none");
}

TEST(StateLock, RefusesWhatIsNoDirectoryOrALink) {
  const test::ScratchDirectory scratch;
  EXPECT_EQ(refusal([&] { const StateLock lock(StateLayout(scratch.path() / "none")); }),
            "config state.missing");
  const StateLayout layout(scratch.path());
  std::filesystem::create_symlink("/dev/null", layout.lock());
  EXPECT_EQ(refusal([&] { const StateLock lock(layout); }), "store state.io");
}

TEST(StateLayout, IsAbsoluteAndPlain) {
  EXPECT_EQ(StateLayout("/a/b/../c/").directory(), "/a/c");
  EXPECT_EQ(StateLayout("x").directory(), std::filesystem::current_path() / "x");
  EXPECT_EQ(StateLayout("/a").tls_key(), "/a/tls/server.key");
}

TEST(Serial, IsReadInEveryUsualSpelling) {
  const Bytes expected{0x4F, 0x2A, 0x01};
  for (const char* text : {"4f2a01", "4F2A01", "4F:2a:01", "004f2a01", "00:4f:2a:01"}) {
    EXPECT_EQ(parse_serial(text), expected) << text;
  }
  EXPECT_EQ(parse_serial("f"), Bytes{0x0F});
  EXPECT_EQ(parse_serial("00" + std::string(40, 'a')).size(), 20U);
}

TEST(Serial, RefusesEverythingElse) {
  for (const std::string& text :
       {std::string(), std::string("0"), std::string(":"), std::string("0x4f"),
        std::string("4f 2a"), std::string("-1"), std::string(42, 'a')}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(parse_serial(text)); }), "config serial.invalid")
        << text;
  }
}

TEST(Reason, HasTheCodesOfRfc5280) {
  EXPECT_EQ(parse_reason("unspecified"), 0);
  EXPECT_EQ(parse_reason("keyCompromise"), 1);
  EXPECT_EQ(parse_reason("cACompromise"), 2);
  EXPECT_EQ(parse_reason("affiliationChanged"), 3);
  EXPECT_EQ(parse_reason("superseded"), 4);
  EXPECT_EQ(parse_reason("cessationOfOperation"), 5);
  EXPECT_EQ(parse_reason("privilegeWithdrawn"), 9);
  EXPECT_EQ(parse_reason("aACompromise"), 10);
  for (const char* name : {"certificateHold", "removeFromCRL", "keycompromise", "1", ""}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(parse_reason(name)); }), "config revoke.reason")
        << name;
  }
}

TEST(Reason, IsNamedBack) {
  EXPECT_EQ(reason_name(0), "unspecified");
  EXPECT_EQ(reason_name(1), "keyCompromise");
  EXPECT_EQ(reason_name(6), "certificateHold");
  EXPECT_EQ(reason_name(10), "aACompromise");
}

TEST(KeyPurpose, NamesAndOidsAreOneThing) {
  EXPECT_EQ(key_purpose_oid("cmcRA"), "1.3.6.1.5.5.7.3.28");
  EXPECT_EQ(key_purpose_oid("1.3.6.1.5.5.7.3.28"), "1.3.6.1.5.5.7.3.28");
  EXPECT_EQ(key_purpose_name("1.3.6.1.5.5.7.3.28"), "cmcRA");
  EXPECT_EQ(key_purpose_name("1.2.3.4"), "1.2.3.4");
  for (const char* text : {"", "cmcra", "1", "1.", "3.1", "1.2.a"}) {
    EXPECT_EQ(key_purpose_oid(text), std::nullopt) << text;
  }
}

TEST(Duration, IsPrintedInItsLargestUnit) {
  using std::chrono::seconds;
  EXPECT_EQ(print_duration(seconds(86400 * 365)), "365d");
  EXPECT_EQ(print_duration(seconds(43200)), "12h");
  EXPECT_EQ(print_duration(seconds(300)), "5m");
  EXPECT_EQ(print_duration(seconds(61)), "61s");
  EXPECT_EQ(print_duration(seconds(0)), "0s");
}

}  // namespace
}  // namespace estia::provision
