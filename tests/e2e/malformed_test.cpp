// SPDX-License-Identifier: Apache-2.0
// status table: what is malformed has its status and changes nothing.
#include <gtest/gtest.h>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

std::string flip_last_byte(std::string der) {
  der.back() = static_cast<char>(der.back() ^ 1);
  return der;
}

std::string base64(const std::string& der) {
  return base64_encode(as_bytes(der), 64);
}

std::string nested_sequences() {
  constexpr std::size_t kDepth = 40;
  std::string der;
  for (std::size_t i = 0; i < kDepth; ++i) {
    der += '\x30';
    der += static_cast<char>(2 * (kDepth - i - 1));
  }
  return der;
}

class Malformed : public testing::Test {
 protected:
  struct Rows {
    std::string certificates;
    std::string entities;
    bool operator==(const Rows&) const = default;
  };
  Rows rows() const {
    return {installation.query("SELECT count(*) FROM certificate"),
            installation.query("SELECT count(*) FROM end_entity")};
  }
  /// Starts the server, lets the test talk to it, and checks that nothing was recorded.
  template <class Talk>
  void changes_nothing(Talk talk) {
    const Rows before = rows();
    EstiadProcess server(installation);
    const EstClient client(installation, server);
    talk(client);
    EXPECT_EQ(client.request("cacerts").status, 200);
    EXPECT_EQ(server.stop(), 0);
    EXPECT_EQ(rows(), before);
  }
  static void expect(const EstClient& client, int status, const char* what, const std::string& body,
                     std::vector<std::string> arguments = {}) {
    for (const std::string& argument : client.as_ra()) {
      arguments.push_back(argument);
    }
    const Answer answer = client.post("simpleenroll", body, arguments);
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body << answer.error;
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; charset=utf-8") << what;
    EXPECT_EQ(answer.header("WWW-Authenticate"), "") << what;
  }

  const Installation installation;
};

TEST_F(Malformed, BodiesThatAreNoRequestAre400) {
  changes_nothing([](const EstClient& client) {
    const std::string der = read_file(client.make_device("/CN=device-1").csr);
    expect(client, 400, "empty", "");
    expect(client, 400, "white space", "\r\n\r\n");
    expect(client, 400, "raw DER (CLAR-3-b)", der, {"-H", "Content-Transfer-Encoding: binary"});
    expect(client, 400, "text", "hello world");
    expect(client, 400, "JSON", "{\"csr\": true}");
    expect(client, 400, "wrong padding", base64(der).substr(0, 101));
    expect(client, 400, "URL-safe alphabet", "-_-_" + base64(der));
    expect(client, 400, "NUL inside", base64(der).insert(10, 1, '\0'));
    expect(client, 400, "armour without an end",
           "-----BEGIN CERTIFICATE REQUEST-----\n" + base64(der));
    expect(client, 400, "armour of another kind",
           "-----BEGIN CERTIFICATE-----\n" + base64(der) + "-----END CERTIFICATE-----\n");
  });
}

TEST_F(Malformed, DerThatIsNoRequestIs400) {
  changes_nothing([&](const EstClient& client) {
    const std::string der = read_file(client.make_device("/CN=device-1").csr);
    expect(client, 400, "bytes after the DER", base64(der + "x"));
    expect(client, 400, "cut DER", base64(der.substr(0, der.size() - 1)));
    expect(client, 400, "empty sequence", base64(std::string("\x30\x00", 2)));
    expect(client, 400, "indefinite length", base64(std::string("\x30\x80\x00\x00", 4)));
    expect(client, 400, "deep nesting", base64(nested_sequences()));
    expect(client, 400, "wrong signature", base64(flip_last_byte(der)));
    const std::filesystem::path certificate = client.new_file(".der");
    client.openssl({"x509", "-in", (installation.state() / "tls/server.pem").string(), "-outform",
                    "DER", "-out", certificate.string()});
    expect(client, 400, "a certificate", base64(read_file(certificate)));
  });
}

TEST_F(Malformed, WeakKeysAndSignaturesAre400) {
  changes_nothing([](const EstClient& client) {
    const Device short_key = client.make_device("/CN=device-1", "", "RSA-1024");
    expect(client, 400, "RSA-1024", EstClient::csr_base64(short_key));
    Device curve = client.make_device("/CN=device-1", "", "secp256k1");
    expect(client, 400, "secp256k1", EstClient::csr_base64(curve));
    Device sha1 = client.make_device("/CN=device-1");
    client.openssl({"req", "-new", "-sha1", "-key", sha1.key.string(), "-subj", "/CN=device-1",
                    "-outform", "DER", "-out", sha1.csr.string()});
    expect(client, 400, "SHA-1", EstClient::csr_base64(sha1));
  });
}

TEST_F(Malformed, ContentTypeAndSizeHaveTheirOwnStatus) {
  changes_nothing([](const EstClient& client) {
    const std::string csr = EstClient::csr_base64(client.make_device("/CN=device-1"));
    for (const char* type :
         {"Content-Type: text/plain", "Content-Type: application/pkcs7-mime", "Content-Type:"}) {
      std::vector<std::string> arguments = client.as_ra();
      arguments.insert(arguments.end(), {"-H", type, "--data-binary", csr});
      const Answer answer = client.request("simpleenroll", arguments);
      EXPECT_EQ(answer.status, 415) << type;
      EXPECT_EQ(answer.header("Accept"), "application/pkcs10");
    }
    expect(client, 413, "over 64 KiB", std::string(70'000, 'A'));
    expect(client, 413, "over 64 KiB, chunked", std::string(70'000, 'A'),
           {"-H", "Transfer-Encoding: chunked", "-H", "Expect:"});
  });
}

}  // namespace
}  // namespace estia::e2e
