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

TEST(NamesMediaType, ListsItAndDoesNotRefuseIt) {
  constexpr std::string_view kType = "application/pkcs12";
  for (const char* accept :
       {"application/pkcs12", "Application/PKCS12", "multipart/mixed, application/pkcs12",
        "text/plain;x=\"a,b\",application/pkcs12;q=0.1", "*/*;q=0,application/pkcs12 ; Q=1",
        "application/pkcs12;q=0.001", ",,application/pkcs12,", "application/pkcs12;q=00"}) {
    EXPECT_TRUE(names_media_type(accept, kType)) << accept;
  }
  for (const char* accept :
       {"", "*/*", "application/*", "application/x-pkcs12", "application/pkcs12;q=0",
        "application/pkcs12; q=0.000", "application/pkcs12;a=b;q=0.", "application/pkcs120",
        "text/plain;x=\",application/pkcs12,\"", "text/plain;x=\"\\\",application/pkcs12\"",
        "application/pkcs12 application/pkcs12"}) {
    EXPECT_FALSE(names_media_type(accept, kType)) << accept;
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
