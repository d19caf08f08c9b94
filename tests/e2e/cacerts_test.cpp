// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  return longest;
}

TEST(CaCerts, GivesTheChainToAnybodyInTheFormEachClientNeeds) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);

  const Answer answer = client.request("cacerts");
  ASSERT_EQ(answer.status, 200) << answer.error << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), "application/pkcs7-mime");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.header("Transfer-Encoding"), "");
  EXPECT_TRUE(answer.headers.starts_with("HTTP/1.1 200"));
  EXPECT_EQ(longest_line(answer.body), 64U);

  // Root and issuing CA, the same as the operator's bundle; openssl builds the chain from them.
  const std::string pem = read_file(client.save_certificate(answer.body));
  std::size_t certificates = 0;
  for (std::size_t at = 0; (at = pem.find("-----BEGIN CERTIFICATE", at)) != std::string::npos;
       ++at) {
    ++certificates;
  }
  EXPECT_EQ(certificates, 2U);
  client.openssl({"verify", "-x509_strict", "-CAfile",
                  client.save_certificate(answer.body).string(),
                  (installation.state() / "tls/server.pem").string()});

  // strongSwan 5.9.8: neither User-Agent nor Accept (docs/clients.md).
  const Answer bare = client.request("cacerts", {"-H", "User-Agent:", "-H", "Accept:"});
  EXPECT_EQ(bare.status, 200);
  EXPECT_EQ(longest_line(bare.body), bare.body.size() - 1);
  EXPECT_EQ(base64_decode(bare.body), base64_decode(answer.body));

  const Answer head = client.request("cacerts", {"--head"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), std::to_string(answer.body.size()));

  EXPECT_EQ(client.request("est/cacerts").status, 200);
  EXPECT_EQ(client.request("%63acerts").status, 200);
  EXPECT_EQ(client.request("cacerts", {"-H", "Accept: text/plain"}).status, 200);
  EXPECT_EQ(client.request("cacerts", {"-u", "ra:wrong"}).status, 200);
  EXPECT_EQ(client.request("cacerts", {"--tlsv1.2", "--tls-max", "1.2"}).status, 200);
  EXPECT_EQ(server.stop(), 0);
}

TEST(CaCerts, ToleratesAnyClientCertificate_EST_3_3_2_b) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  Device stranger = client.make_device("/CN=stranger");
  stranger.certificate = client.new_file(".pem");
  client.openssl({"req", "-x509", "-key", stranger.key.string(), "-subj", "/CN=stranger", "-days",
                  "1", "-out", stranger.certificate.string()});
  EXPECT_EQ(client.request("cacerts", EstClient::as_device(stranger)).status, 200);
  // Where Basic is accepted it counts as absent: the challenge, or the password decides.
  auto with_certificate = EstClient::as_device(stranger);
  EXPECT_EQ(client.post("simpleenroll", EstClient::csr_base64(stranger), with_certificate).status,
            401);
  EXPECT_EQ(client.post("simplereenroll", EstClient::csr_base64(stranger), with_certificate).status,
            403);
  for (const std::string& argument : client.as_ra()) {
    with_certificate.push_back(argument);
  }
  EXPECT_EQ(client.post("simpleenroll", EstClient::csr_base64(stranger), with_certificate).status,
            200);
  EXPECT_EQ(server.stop(), 0);
}

TEST(Routes, UnknownAliasOperationAndMethodHaveTheirStatus_EST_3_2_2_h) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  for (const char* path : {"unknown/cacerts", "unknown/nothing", "EST/cacerts"}) {
    EXPECT_EQ(client.request(path).status, 400) << path;
  }
  for (const char* path : {"CACERTS", "est", "est/nothing", "cacerts/", "est/cacerts/x", "fullcmc",
                           "csrattrs", "serverkeygen", "serverkeygen/return", ""}) {
    EXPECT_EQ(client.request(path).status, 404) << path;
  }
  const Answer post = client.post("cacerts", "AAAA");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("Allow"), "GET, HEAD");
  const Answer get = client.request("simpleenroll");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.header("Allow"), "POST");
  EXPECT_EQ(client.request("cacerts", {"-X", "BREW"}).status, 501);
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace estia::e2e
