// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

std::string serial_of(const EstClient& client, const Device& device) {
  const std::string text =
      client.openssl({"x509", "-in", device.certificate.string(), "-noout", "-serial"});
  return text.substr(7, text.find('\n') - 7);  // "serial=..."
}

TEST(SimpleReenroll, RenewsAndRekeysUnderTheSameNamesOnly) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  const std::string subject = "/O=Acme/CN=device-1";
  const std::string san = "DNS:device-1.example.com";
  Device device = client.make_device(subject, san);
  client.enroll(device);
  const auto reenroll = [&](const Device& request) {
    return client.post("simplereenroll", EstClient::csr_base64(request),
                       EstClient::as_device(device));
  };

  const Answer renewed = reenroll(device);
  ASSERT_EQ(renewed.status, 200) << renewed.body << renewed.error;
  Device next = device;
  next.certificate = client.save_certificate(renewed.body);
  client.openssl({"verify", "-x509_strict", "-CAfile", installation.ca_bundle().string(),
                  next.certificate.string()});
  EXPECT_NE(serial_of(client, next), serial_of(client, device));

  EXPECT_EQ(reenroll(client.make_device(subject, san)).status, 200) << "rekey";
  EXPECT_EQ(reenroll(client.make_device("/O=ACME/CN=Device-1", san)).status, 200)
      << "names are compared by value (RFC 5280 7.1)";
  EXPECT_EQ(reenroll(client.make_device("/O=Acme/CN=device-2", san)).status, 403);
  EXPECT_EQ(reenroll(client.make_device("/CN=device-1", san)).status, 403);
  EXPECT_EQ(reenroll(client.make_device(subject)).status, 403);
  EXPECT_EQ(reenroll(client.make_device(subject, san + ",DNS:www.example.com")).status, 403);
  EXPECT_EQ(reenroll(client.make_device(subject, "DNS:device-2.example.com")).status, 403);
  EXPECT_EQ(client.post("simplereenroll", EstClient::csr_base64(device), client.as_ra()).status,
            403)
      << "never a password";
  EXPECT_EQ(server.stop(), 0);
}

TEST(SimpleReenroll, ARevokedCertificateIsRefusedAndItsSuccessorIsNot) {
  const Installation installation;
  auto server = std::make_unique<EstiadProcess>(installation);
  auto client = std::make_unique<EstClient>(installation, *server);
  Device revoked = client->make_device("/CN=device-1");
  client->enroll(revoked);
  Device other = client->make_device("/CN=device-2");
  client->enroll(other);
  const Finished revoke = installation.estia({"revoke", "--state", installation.state().string(),
                                              "--serial", serial_of(*client, revoked)});
  ASSERT_EQ(revoke.code, 0) << revoke.out << revoke.err;
  const Answer refused =
      client->post("simplereenroll", EstClient::csr_base64(revoked), EstClient::as_device(revoked));
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("revoked"), std::string::npos) << refused.body;
  EXPECT_EQ(
      client->post("simplereenroll", EstClient::csr_base64(other), EstClient::as_device(other))
          .status,
      200);
  EXPECT_EQ(server->stop(), 0);

  // It stays so, and what the operator does on the stopped server counts as well.
  const Finished second = installation.estia(
      {"revoke", "--state", installation.state().string(), "--serial", serial_of(*client, other)});
  ASSERT_EQ(second.code, 0) << second.out << second.err;
  server = std::make_unique<EstiadProcess>(installation);
  client = std::make_unique<EstClient>(installation, *server);
  for (const Device& device : {revoked, other}) {
    EXPECT_EQ(
        client->post("simplereenroll", EstClient::csr_base64(device), EstClient::as_device(device))
            .status,
        403);
  }
  EXPECT_EQ(server->stop(), 0);
}

TEST(SimpleReenroll, TheServersOwnCertificateIsNobody_EST_3_7_c) {
  const Installation installation;
  EstiadProcess server(installation);
  const EstClient client(installation, server);
  Device server_itself;
  server_itself.key = installation.state() / "tls/server.key";
  server_itself.certificate = installation.state() / "tls/server.pem";
  client.make_csr(server_itself, "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
  EXPECT_EQ(client
                .post("simplereenroll", EstClient::csr_base64(server_itself),
                      EstClient::as_device(server_itself))
                .status,
            403);
  EXPECT_EQ(client.request("cacerts", EstClient::as_device(server_itself)).status, 200);
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace estia::e2e
