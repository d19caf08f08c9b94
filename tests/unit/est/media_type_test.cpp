// SPDX-License-Identifier: Apache-2.0
#include "server/est/media_type.h"

#include <gtest/gtest.h>

namespace estia::est {
namespace {

TEST(MediaType, IgnoresCaseParametersAndSpaceAround_EST_3_2_4_a) {
  for (const char* field :
       {"application/pkcs10", "Application/PKCS10", " application/pkcs10 ",
        "application/pkcs10; charset=utf-8", "application/pkcs10;smime-type=CMC-Request; x=\"y;z\"",
        "application/pkcs10 ;", "\tapplication/pkcs10\t"}) {
    EXPECT_EQ(media_type(field), "application/pkcs10") << field;
  }
}

TEST(MediaType, AnotherTypeIsAnotherType) {
  EXPECT_EQ(media_type("application/pkcs10x"), "application/pkcs10x");
  EXPECT_EQ(media_type("application/x-www-form-urlencoded"), "application/x-www-form-urlencoded");
}

TEST(MediaType, RefusesWhatIsNone) {
  for (const char* field :
       {"", ";", "pkcs10", "application/", "/pkcs10", "application/pkcs10,text/plain",
        "application /pkcs10", "application/pkcs10/x", "application/pkcs\x01",
        "application/pkcs10 text/plain", "\"application/pkcs10\""}) {
    EXPECT_FALSE(media_type(field)) << field;
  }
}

}  // namespace
}  // namespace estia::est
