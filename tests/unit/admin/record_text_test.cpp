// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/record_text.h"

#include <gtest/gtest.h>

namespace estia::admin {
namespace {

TEST(RecordText, IsALineForEachMember) {
  EXPECT_EQ(record_text({{"name", "x"},
                         {"store", {{"queued", 3}, {"failed", false}}},
                         {"aliases", {"est", "factory"}},
                         {"codes",
                          {{{"uses_left", 2}, {"expires_at", nullptr}},
                           {{"uses_left", 1}, {"expires_at", "2027-01-01T00:00:00Z"}}}},
                         {"none", Json::array()},
                         {"nothing", nullptr},
                         {"empty", ""}}),
            "name                x\n"
            "store.queued        3\n"
            "store.failed        false\n"
            "aliases             est, factory\n"
            "codes.1.uses_left   2\n"
            "codes.1.expires_at  -\n"
            "codes.2.uses_left   1\n"
            "codes.2.expires_at  2027-01-01T00:00:00Z\n"
            "none                -\n"
            "nothing             -\n"
            "empty               -\n");
}

TEST(RecordText, ADeviceCannotWriteLinesOfItsOwn) {
  EXPECT_EQ(record_text({{"username", "a\nstate  issued\x1b[2J"}}),
            "username  a?state  issued?[2J\n");
}

}  // namespace
}  // namespace estia::admin
