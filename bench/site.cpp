// SPDX-License-Identifier: Apache-2.0
#include "bench/site.h"

#include <openssl/cms.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "crypto/base/file.h"
#include "crypto/openssl/require.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

using crypto::require;

crypto::PrivateKey new_key() {
  return crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
}

crypto::SslCtxPtr tls13_context(const http::TlsIdentity* identity) {
  test::TlsOffer offer;
  offer.version = TLS1_3_VERSION;
  offer.identity = identity;
  return test::make_client_context(offer);
}

test::Connection field_for(Connections connections) {
  return connections == Connections::kept ? test::Connection::keep : test::Connection::close;
}

/// The one certificate of a certs-only answer.
crypto::Certificate certificate_in(const std::string& body) {
  const Bytes der = base64_decode(body.substr(0, body.find('\n')));
  const unsigned char* at = der.data();
  const crypto::Owned<CMS_ContentInfo, CMS_ContentInfo_free> message(
      require(::d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())), "d2i_CMS"));
  const crypto::X509StackPtr certificates(
      require(::CMS_get1_certs(message.get()), "CMS_get1_certs"));
  unsigned char* out = nullptr;
  const int size = ::i2d_X509(sk_X509_value(certificates.get(), 0), &out);
  require(size > 0 ? 1 : 0, "i2d_X509");
  const crypto::OpenSslPtr<unsigned char> owned(out);
  return crypto::Certificate::parse({out, static_cast<std::size_t>(size)});
}

}  // namespace

Bytes new_csr(const std::string& subject) {
  return test::make_csr_der(new_key(), subject);
}

Site::Site() : anonymous_(tls13_context(nullptr)) {}

http::TlsIdentity Site::server_identity() const {
  const std::filesystem::path folder = installation_.state() / "tls";
  return {crypto::PrivateKey::from_pem(read_secret_file(folder / "server.key")),
          crypto::Certificate::parse_pem(read_file(folder / "server.pem"))};
}

crypto::Certificate Site::issuing_ca() const {
  return crypto::Certificate::parse_pem(read_file(installation_.ca_bundle())).back();
}

hsm::TokenConfig Site::token() const {
  // SoftHSM reads it when it is loaded, once in a process.
  const std::filesystem::path configuration = installation_.directory() / "softhsm2.conf";
  if (::setenv("SOFTHSM2_CONF", configuration.c_str(), 1) != 0) {
    throw std::runtime_error("setenv failed");
  }
  return {.module = e2e::softhsm_module(),
          .init_args = {},
          .label = installation_.token_label(),
          .serial = {},
          .pin = {installation_.pin_file()}};
}

std::string Site::estia(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"--state", installation_.state().string()});
  const e2e::Finished finished = installation_.estia(arguments);
  if (finished.code != 0) {
    throw std::runtime_error("estia " + arguments.front() + ": " + finished.out + finished.err);
  }
  return finished.out;
}

void Site::serve_keys(const std::string& limits) {
  const std::filesystem::path process = installation_.state() / "estia.toml";
  if (process_file_.empty()) {
    process_file_ = read_file(process);
    installation_.allow_serverkeygen("[\"pkcs8\", \"cms\"]");
  }
  replace_file(process, process_file_ + "\n[serverkeygen]\n" + limits, FileMode::readable);
}

void Site::start(std::size_t devices) {
  server_ = std::make_unique<e2e::EstiadProcess>(installation_);
  for (std::size_t i = 0; i < devices; ++i) {
    devices_.push_back(enroll(i));
  }
}

void Site::stop() {
  if (server_->stop() != 0) {
    throw std::runtime_error("estiad failed: " + server_->err());
  }
}

std::uint16_t Site::port() const {
  return static_cast<std::uint16_t>(std::stoul(server_->port()));
}

Served Site::served() {
  return {.port = port(), .process = server_->child().pid()};
}

Stock Site::stock() const {
  return nlohmann::json::parse(estia({"status", "--json"})).at("serverkeygen").at("stock");
}

std::string Site::authorization() const {
  return test::basic_authorization(installation_.user() + ":" + installation_.password());
}

Site::Device Site::enroll(std::size_t number) const {
  const std::string subject = "CN=own-" + std::to_string(number);
  crypto::PrivateKey key = new_key();
  test::TlsClient connection(port(), *anonymous_);
  connection.send(test::est_request("simpleenroll", test::make_csr_der(key, subject),
                                    authorization(), test::Connection::close));
  const test::HttpAnswer answer = connection.read_answer();
  if (answer.status != 200) {
    throw std::runtime_error("the first enrolment of " + subject + " failed: " + answer.body);
  }
  connection.end();
  Device device{subject, {std::move(key), {certificate_in(answer.body)}}, nullptr};
  device.context = tls13_context(&device.identity);
  return device;
}

std::vector<Client> Site::account_clients(std::size_t clients, std::size_t each,
                                          Connections connections) {
  const std::string account = authorization();
  std::vector<Client> made(clients);
  for (Client& client : made) {
    client.context = anonymous_.get();
    for (std::size_t i = 0; i < each; ++i) {
      const Bytes csr = new_csr("CN=new-" + std::to_string(++names_));
      client.requests.push_back(
          test::est_request("simpleenroll", csr, account, field_for(connections)));
    }
  }
  return made;
}

std::vector<Client> Site::device_clients(std::size_t clients, std::size_t each,
                                         Connections connections) {
  std::vector<Client> made(clients);
  for (std::size_t number = 0; number < clients; ++number) {
    const Device& device = devices_.at(number);
    made[number].context = device.context.get();
    for (std::size_t i = 0; i < each; ++i) {
      made[number].requests.push_back(
          test::est_request("simplereenroll", new_csr(device.subject), "", field_for(connections)));
    }
  }
  return made;
}

std::vector<Client> Site::key_clients(std::size_t clients, std::size_t each,
                                      const crypto::PrivateKey& key) {
  const std::string account = authorization();
  std::vector<Client> made(clients);
  for (Client& client : made) {
    client.context = anonymous_.get();
    for (std::size_t i = 0; i < each; ++i) {
      const Bytes csr = test::make_csr_der(key, "CN=key-" + std::to_string(++names_));
      client.requests.push_back(test::est_request("serverkeygen", csr, account));
    }
  }
  return made;
}

}  // namespace estia::bench
