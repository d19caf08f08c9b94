// SPDX-License-Identifier: Apache-2.0
// Requests as clients that Debian does not package put them on the wire, byte by byte, through
// `openssl s_client`.
#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/conformance/site.h"

namespace estia::conformance {
namespace {

class WireShapes : public testing::Test {
 protected:
  /// Sends these bytes over TLS 1.2 and returns all that comes back until the server closes.
  [[nodiscard]] std::string exchange(const std::string& bytes) const {
    const std::filesystem::path in = site_.openssl.new_file(".in");
    const std::filesystem::path out = site_.openssl.new_file(".out");
    write_new_file(in, bytes, FileMode::secret);
    e2e::Child child({.arguments = {"openssl", "s_client", "-quiet", "-tls1_2", "-noservername",
                                    "-verify_return_error", "-CAfile", site_.root().string(),
                                    "-connect", "127.0.0.1:" + site_.server.port()},
                      .out = out,
                      .err = site_.openssl.new_file(".err"),
                      .in = in});
    EXPECT_EQ(child.wait(std::chrono::minutes(1)), 0);
    return read_file(out);
  }

  [[nodiscard]] std::string authorization(const std::string& behind = {}) const {
    const std::string text =
        site_.installation.user() + ":" + site_.installation.password() + behind;
    return "Authorization: Basic " + base64_encode(as_bytes(text)) + "\r\n";
  }

  [[nodiscard]] static std::string post(const std::string& headers, const std::string& body) {
    return "POST /.well-known/est/simpleenroll HTTP/1.1\r\n" + headers +
           "Content-Type: application/pkcs10\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  [[nodiscard]] static std::string body_of(const std::string& answer) {
    return answer.substr(std::min(answer.find("\r\n\r\n"), answer.size() - 4) + 4);
  }

  Site site_;
};

constexpr const char* kLibest = "User-Agent: libest 3.2.0p\r\nConnection: close\r\nAccept: */*\r\n";
constexpr const char* kStrayLine = "\r\n";

TEST_F(WireShapes, LibestsStrayLineBehindARequestCostsNothing) {
  const std::string host = "Host: 127.0.0.1:" + site_.server.port() + "\r\n";
  const std::string cacerts = exchange("GET /.well-known/est/cacerts HTTP/1.1\r\n" +
                                       std::string(kLibest) + host + "\r\n" + kStrayLine);
  EXPECT_TRUE(cacerts.starts_with("HTTP/1.1 200 ")) << cacerts;
  EXPECT_NE(cacerts.find("\r\nContent-Type: "), std::string::npos) << "spelt like this";
  EXPECT_NE(cacerts.find("\r\nContent-Length: "), std::string::npos);
  const std::string body = body_of(cacerts);
  EXPECT_LT(body.find('\n'), 1024U) << "libest reads no further for a line's end";
  EXPECT_NO_THROW(static_cast<void>(site_.openssl.save_certificate(body)));

  const std::string csr = e2e::EstClient::csr_base64(site_.openssl.make_device("/CN=libest"), 64);
  const std::string enrolled = exchange(post(kLibest + host + authorization(), csr) + kStrayLine);
  EXPECT_TRUE(enrolled.starts_with("HTTP/1.1 200 ")) << enrolled;
  EXPECT_NE(enrolled.find("\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n"),
            std::string::npos);
  EXPECT_EQ(enrolled.find("HTTP/1.1", 1), std::string::npos) << "one request, one answer";
  EXPECT_EQ(site_.stop_and_count("simpleenroll"), 1);
}

TEST_F(WireShapes, LgttisPemBodyAndHostWithoutPortAreTakenItsNulInThePasswordIsNot) {
  const std::string body = read_file(site_.openssl.make_device("/CN=lgtti").csr);
  const std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\n" +
                          base64_encode(as_bytes(body), 64) + "-----END CERTIFICATE REQUEST-----\n";
  const std::string headers = "Host: localhost\r\nConnection: close\r\n";
  const std::string nul_and_dash("\0-", 2);
  const std::string refused = exchange(post(headers + authorization(nul_and_dash), pem));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401 ")) << refused;
  const std::string enrolled = exchange(post(headers + authorization(), pem));
  EXPECT_TRUE(enrolled.starts_with("HTTP/1.1 200 ")) << enrolled;
  EXPECT_EQ(site_.stop_and_count("simpleenroll"), 1);
}

}  // namespace
}  // namespace estia::conformance
