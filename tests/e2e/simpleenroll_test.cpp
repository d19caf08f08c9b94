// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(SimpleEnroll, GivesOneCertificateThatOpensslVerifies) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  Device device = client.make_device("/CN=device-1", "DNS:device-1.example.com");
  const Answer answer = client.post("simpleenroll", EstClient::csr_base64(device), client.as_ra());
  ASSERT_EQ(answer.status, 200) << answer.body << answer.error;
  EXPECT_EQ(answer.header("Content-Type"), "application/pkcs7-mime; smime-type=certs-only");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("Transfer-Encoding"), "");
  EXPECT_EQ(answer.body.find('\n'), answer.body.size() - 1) << "one single line (docs/clients.md)";

  device.certificate = client.save_certificate(answer.body);
  const std::string pem = read_file(device.certificate);
  EXPECT_EQ(pem.find("-----BEGIN CERT"), pem.rfind("-----BEGIN CERT")) << "EST-4.2.3-a";
  client.openssl({"verify", "-x509_strict", "-purpose", "sslclient", "-verify_hostname",
                  "device-1.example.com", "-CAfile", installation.ca_bundle().string(),
                  device.certificate.string()});
  EXPECT_EQ(client.openssl({"x509", "-in", device.certificate.string(), "-noout", "-pubkey"}),
            client.openssl({"pkey", "-in", device.key.string(), "-pubout"}));
  EXPECT_NE(client.openssl({"x509", "-in", device.certificate.string(), "-noout", "-subject"})
                .find("device-1"),
            std::string::npos);
  EXPECT_EQ(server.stop(), 0);
  EXPECT_EQ(
      installation.query("SELECT state FROM certificate WHERE subject_text LIKE '%device-1%'"),
      "issued");
}

/// Whoever proves nothing writes a row for each kind of refusal, not for each request.
TEST(SimpleEnroll, RefusalsAreInTheAuditTrailWithinABudget) {
  const Installation installation("CN=device-*");
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const Device device = client.make_device("/CN=other-1");
  const std::string csr = EstClient::csr_base64(device);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.post("simpleenroll", csr, client.as_ra()).status, 403);
    EXPECT_EQ(client.post("simpleenroll", csr, client.as_user("nobody", "wrong")).status, 401);
    EXPECT_EQ(client.post("simpleenroll", csr).status, 401) << "only a challenge";
    EXPECT_EQ(client.request("nowhere/cacerts").status, 400);
  }
  EXPECT_EQ(server.stop(), 0);
  const auto rows = [&](const std::string& where) {
    return installation.query("SELECT count(*) FROM audit WHERE what = 'request.refused' AND " +
                              where);
  };
  EXPECT_EQ(rows("who = 'account est/ra' AND outcome = 'enroll.outside_scope' AND "
                 "object = 'est/simpleenroll' AND detail LIKE 'request=%'"),
            "1");
  EXPECT_EQ(rows("who = 'account est/ra' AND detail LIKE 'repeats=4 %'"), "1");
  EXPECT_EQ(rows("who = 'nobody' AND outcome = 'auth.wrong_password'"), "2");
  EXPECT_EQ(rows("who = 'nobody' AND outcome = 'route.unknown_alias'"), "2");
  EXPECT_EQ(rows("true"), "6");
}

TEST(SimpleEnroll, TakesEveryFormThatClientsSend_Interop) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  int number = 0;
  const auto status = [&](auto body_of, const std::vector<std::string>& arguments) {
    const Device device = client.make_device("/CN=form-" + std::to_string(++number));
    const Answer answer = client.post("simpleenroll", body_of(device), client.as_ra() + arguments);
    return std::to_string(answer.status) + answer.error;
  };
  const auto one_line = [](const Device& d) { return EstClient::csr_base64(d); };
  const auto lf = [](const Device& d) { return EstClient::csr_base64(d, 64); };
  const auto crlf = [](const Device& d) {
    return replace_all(EstClient::csr_base64(d, 76), "\n", "\r\n");
  };
  const auto pem = [](const Device& d) {
    return "-----BEGIN CERTIFICATE REQUEST-----\n" + EstClient::csr_base64(d, 64) +
           "-----END CERTIFICATE REQUEST-----\n";
  };
  EXPECT_EQ(status(one_line, {}), "200");
  EXPECT_EQ(status(lf, {}), "200");
  EXPECT_EQ(status(crlf, {}), "200");
  EXPECT_EQ(status(pem, {}), "200");
  EXPECT_EQ(status(lf, {"-H", "Transfer-Encoding: chunked"}), "200");
  EXPECT_EQ(status(lf, {"-H", "Expect: 100-continue"}), "200");
  EXPECT_EQ(status(lf, {"-H", "Content-Transfer-Encoding: binary"}), "200");  // CLAR-3-b
  EXPECT_EQ(status(lf, {"-H", "Accept: text/plain"}), "200");
  EXPECT_EQ(status(lf, {"-H", "Content-Type: Application/PKCS10; charset=us-ascii"}), "200");
  EXPECT_EQ(status(lf, {"--tlsv1.2", "--tls-max", "1.2"}), "200");
  EXPECT_EQ(status(lf, {"--http2"}), "200");
  EXPECT_EQ(server.stop(), 0);
}

TEST(SimpleEnroll, WithoutTheRightPasswordIs401AndTheConnectionStays) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const Device device = client.make_device("/CN=device-1");
  const std::string csr = EstClient::csr_base64(device);
  const Answer none = client.post("simpleenroll", csr);
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("WWW-Authenticate"), "Basic realm=\"estia\", charset=\"UTF-8\"");
  for (const auto& [user, password] : std::vector<std::pair<std::string, std::string>>{
           {installation.user(), "wrong"},
           {"nobody", installation.password()},
           {"", installation.password()},
           {installation.user(), installation.password() + "x"}}) {
    const Answer wrong = client.post("simpleenroll", csr, client.as_user(user, password));
    EXPECT_EQ(wrong.status, 401) << user;
    EXPECT_EQ(wrong.header("WWW-Authenticate"), "Basic realm=\"estia\", charset=\"UTF-8\"");
  }
  // curl --anyauth asks without a password first; the 401 must not cost the connection.
  const Answer dance =
      client.post("simpleenroll", csr, client.as_ra() + std::vector<std::string>{"--anyauth"});
  EXPECT_EQ(dance.status, 200);
  EXPECT_NE(dance.headers.find("HTTP/1.1 401"), std::string::npos);
  EXPECT_EQ(dance.connections, 1) << "the 401 cost the connection";
  EXPECT_EQ(server.stop(), 0);
}

TEST(SimpleEnroll, GuessingIsSlowedDown_EST_6_c) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const std::string csr = EstClient::csr_base64(client.make_device("/CN=device-1"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(client.post("simpleenroll", csr, client.as_user(installation.user(), "x")).status,
              401);
  }
  const Answer late = client.post("simpleenroll", csr, client.as_ra());
  EXPECT_EQ(late.status, 429);
  EXPECT_NE(late.header("Retry-After"), "");
  EXPECT_EQ(client.request("cacerts").status, 200);
  EXPECT_EQ(server.stop(), 0);
}

TEST(SimpleEnroll, TheScopeBindsTheRegistrationAuthority) {
  const Installation installation("CN=device-*");
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const auto status = [&](const std::string& subject, const std::string& san = {}) {
    const Device device = client.make_device(subject, san);
    return client.post("simpleenroll", EstClient::csr_base64(device), client.as_ra()).status;
  };
  EXPECT_EQ(status("/CN=device-1"), 200);
  EXPECT_EQ(status("/CN=admin"), 403);
  EXPECT_EQ(status("/CN=device-1", "DNS:www.example.com"), 403);
  EXPECT_EQ(status("/CN=device-1/CN=admin"), 400) << "one name only";
  EXPECT_EQ(server.stop(), 0);
}

TEST(SimpleEnroll, AWrongChallengePasswordIs403AndNamesLinking_EST_3_5_a) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const Device device = client.make_device("/CN=device-1");
  const std::filesystem::path config = client.new_file(".cnf");
  write_new_file(config,
                 "[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\nCN=device-1\n[at]\n"
                 "challengePassword=AAAAAAAAAAAAAAAA\n",
                 FileMode::secret);
  const std::filesystem::path csr = client.new_file(".csr");
  client.openssl({"req", "-new", "-config", config.string(), "-key", device.key.string(),
                  "-outform", "DER", "-out", csr.string()});
  const std::string body = EstClient::csr_base64({.key = {}, .csr = csr, .certificate = {}});
  for (const char* version : {"1.2", "1.3"}) {
    const Answer answer =
        client.post("simpleenroll", body,
                    client.as_ra() + std::vector<std::string>{"--tlsv" + std::string(version),
                                                              "--tls-max", version});
    EXPECT_EQ(answer.status, 403) << version;
    EXPECT_NE(answer.body.find("linking"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace estia::e2e
