// SPDX-License-Identifier: Apache-2.0
#include "server/est/request_body.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"

namespace estia::est {
namespace {

Bytes sample() {
  Bytes der;
  for (int i = 0; i < 300; ++i) {
    der.push_back(static_cast<std::uint8_t>(i));
  }
  return der;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string refusal(std::string_view body) {
  try {
    static_cast<void>(decode_request_body(body));
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::malformed);
    return error.id();
  }
}

TEST(RequestBody, TakesEveryFormThatClientsSend_Interop) {
  const std::string one_line = base64_encode(sample());
  const std::string lf = base64_encode(sample(), 64);
  const std::string crlf = replace_all(base64_encode(sample(), 76), "\n", "\r\n");
  for (const std::string& body : {one_line, one_line + "\n", lf, crlf, crlf + "\r\n", "\r\n" + lf,
                                  replace_all(lf, "\n", " \t\n")}) {
    EXPECT_EQ(decode_request_body(body), sample()) << body;
  }
}

TEST(RequestBody, TakesPemArmour) {
  const std::string lf = base64_encode(sample(), 64);
  for (const std::string& label :
       {std::string("CERTIFICATE REQUEST"), std::string("NEW CERTIFICATE REQUEST")}) {
    const std::string pem =
        "-----BEGIN " + label + "-----\n" + lf + "-----END " + label + "-----\n";
    EXPECT_EQ(decode_request_body(pem), sample());
    EXPECT_EQ(decode_request_body(replace_all(pem, "\n", "\r\n")), sample());
    EXPECT_EQ(decode_request_body("\n" + pem + "\r\n\r\n"), sample());
  }
}

TEST(RequestBody, TheArmourMustBeginTheBodyAndEndItAndFit) {
  const std::string b64 = base64_encode(sample(), 64);
  const std::string begin = "-----BEGIN CERTIFICATE REQUEST-----\n";
  const std::string end = "-----END CERTIFICATE REQUEST-----\n";
  for (const std::string& body :
       {begin + b64, begin, end, std::string("-"),
        std::string("-----BEGIN CERTIFICATE REQUEST-----"),
        begin + b64 + "-----END NEW CERTIFICATE REQUEST-----\n", begin + b64 + end + "QQ==",
        "-----BEGIN CERTIFICATE-----\n" + b64 + "-----END CERTIFICATE-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\n" + b64 + "-----END RSA PRIVATE KEY-----\n"}) {
    EXPECT_EQ(refusal(body), "body.armour") << body;
  }
  EXPECT_EQ(refusal("text before\n" + begin + b64 + end), "base64.invalid");
  EXPECT_EQ(refusal(begin + b64 + end + begin + b64 + end), "base64.invalid");
  EXPECT_EQ(refusal(begin + end), "base64.invalid");
}

TEST(RequestBody, RefusesWhatIsNoBase64_CLAR_3_d) {
  EXPECT_EQ(refusal(""), "body.empty");
  EXPECT_EQ(refusal(" \r\n\t"), "body.empty");
  for (const std::string& body :
       {std::string("QUI"), std::string("QUI-"), std::string("QUI_"), std::string("QUI=QUI="),
        std::string("QUE=\xC2\xA0"), std::string("QR=="), std::string("QUJD\0", 5),
        std::string("\x30\x82\x01\x00", 4), std::string("QUJD=="),
        std::string("{\"csr\":\"QUJD\"}")}) {
    EXPECT_EQ(refusal(body), "base64.invalid") << body;
  }
}

}  // namespace
}  // namespace estia::est
