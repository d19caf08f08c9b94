// SPDX-License-Identifier: Apache-2.0
// Linking of identity and proof of possession with values that are right, which no packaged client
// can compute for both versions of TLS.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/estiad_process.h"
#include "tests/e2e/support/raw_enrol.h"
#include "tests/support/tls_client.h"
#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::e2e {
namespace {

using crypto::kChallengeOid;
using crypto::kLinkingOid;
using test::HttpAnswer;
using test::TlsClient;

constexpr const char* kLinkedAlias = R"(
[[alias]]
name = "linked"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["basic"]
ra_scope = "any"
channel_binding = "required"

[[account]]
alias = "linked"
user = "head"
password_file = "head.password"
)";
constexpr const char* kHeadPassword = "head-password-0123456789abcdef";

struct Attribute {
  const char* oid;
  Bytes value;  ///< before base64
};

/// A new device's request, signed over these attributes.
std::string csr(const std::vector<Attribute>& attributes) {
  constexpr std::uint8_t kPrintableString = 0x13;
  static int number = 0;
  std::vector<Bytes> encoded;
  for (const Attribute& one : attributes) {
    encoded.push_back(
        crypto::attribute(one.oid, {crypto::text(kPrintableString, base64_encode(one.value))}));
  }
  crypto::ForgedCsr request{
      .key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"))};
  request.subject = crypto::Name::from_text("CN=device-" + std::to_string(++number)).der();
  return base64_encode(request.with(encoded).der(), 64);
}

Bytes flipped(Bytes value) {
  value.front() ^= 1U;
  return value;
}

class LinkingBase {
 protected:
  LinkingBase() {
    ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
    const Finished exported =
        installation.estia({"config", "export", "--state", installation.state().string()});
    write_new_file(installation.directory() / "head.password", std::string(kHeadPassword) + "\n",
                   FileMode::secret);
    const std::filesystem::path document = installation.directory() / "linked.toml";
    write_new_file(document, exported.out + kLinkedAlias, FileMode::secret);
    const Finished applied =
        installation.estia({"apply", document.string(), "--state", installation.state().string()});
    EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
    server = std::make_unique<EstiadProcess>(installation);
  }

  [[nodiscard]] TlsClient connect(int version, bool extended_master_secret = true) const {
    return TlsClient(static_cast<std::uint16_t>(std::stoul(server->port())),
                     {.version = version, .extended_master_secret = extended_master_secret});
  }
  [[nodiscard]] RawEnrol request(const std::vector<Attribute>& attributes) const {
    RawEnrol raw;
    raw.account = ra_account(installation);
    raw.body = csr(attributes);
    return raw;
  }
  [[nodiscard]] HttpAnswer exchange(TlsClient& client,
                                    const std::vector<Attribute>& attributes) const {
    client.send(request(attributes).bytes());
    return client.read_answer();
  }
  [[nodiscard]] int verified() const {
    const std::string log = server->err();
    int count = 0;
    for (std::size_t at = 0; (at = log.find("linking=verified", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
  static void expect_refused(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 403) << answer.body;
    EXPECT_NE(answer.body.find("linking"), std::string::npos) << answer.body;
  }

  const Installation installation;
  std::unique_ptr<EstiadProcess> server;
};

class Linking : public LinkingBase, public testing::TestWithParam<int> {
 protected:
  ~Linking() override { EXPECT_EQ(server->stop(), 0); }
  [[nodiscard]] TlsClient connect() const { return LinkingBase::connect(GetParam()); }
  [[nodiscard]] static bool is_tls13() { return GetParam() == TLS1_3_VERSION; }
};

TEST_P(Linking, TheRightValueInEitherOrBothAttributesIsAccepted_EST_3_5_a) {
  for (const std::vector<const char*>& oids : std::vector<std::vector<const char*>>{
           {kChallengeOid}, {kLinkingOid}, {kChallengeOid, kLinkingOid}}) {
    TlsClient client = connect();
    std::vector<Attribute> attributes;
    for (const char* oid : oids) {
      attributes.push_back({oid, client.channel_binding()});
    }
    const HttpAnswer answer = exchange(client, attributes);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.fields.at("Connection"), is_tls13() ? "Close" : "Keep-Alive");
  }
  EXPECT_EQ(verified(), 3);
}

TEST_P(Linking, AnotherConnectionsValueIsRefused) {
  const TlsClient other = connect();
  for (const char* oid : {kChallengeOid, kLinkingOid}) {
    TlsClient client = connect();
    expect_refused(exchange(client, {{oid, other.channel_binding()}}));
    TlsClient again = connect();
    expect_refused(exchange(again, {{oid, flipped(again.channel_binding())}}));
  }
  EXPECT_EQ(verified(), 0);
}

TEST_P(Linking, OneWrongValueSpoilsTheRightOne_CHAL_4_b) {
  for (const bool challenge_is_right : {true, false}) {
    TlsClient client = connect();
    const Bytes right = client.channel_binding();
    expect_refused(exchange(client, {{kChallengeOid, challenge_is_right ? right : flipped(right)},
                                     {kLinkingOid, challenge_is_right ? flipped(right) : right}}));
  }
}

TEST_P(Linking, WhereItIsRequiredARequestWithoutIsRefused) {
  TlsClient client = connect();
  RawEnrol without = request({});
  without.alias = "linked";
  without.account = std::string("head:") + kHeadPassword;
  client.send(without.bytes());
  expect_refused(client.read_answer());
  RawEnrol with = without;  // the refusal has not spent the binding
  with.body = csr({{kChallengeOid, client.channel_binding()}});
  client.send(with.bytes());
  EXPECT_EQ(client.read_answer().status, 200);
}

INSTANTIATE_TEST_SUITE_P(Tls, Linking, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const testing::TestParamInfo<int>& version) {
                           return version.param == TLS1_3_VERSION ? "v13" : "v12";
                         });

class LinkingOnce : public LinkingBase, public testing::Test {
 protected:
  ~LinkingOnce() override { EXPECT_EQ(server->stop(), 0); }
};

TEST_F(LinkingOnce, ATls13ConnectionServesOneLinkedRequest_TLSX_9266_d) {
  TlsClient client = connect(TLS1_3_VERSION);
  const std::string first = request({{kChallengeOid, client.channel_binding()}}).bytes();
  const std::string second = request({{kChallengeOid, client.channel_binding()}}).bytes();
  client.send(first + second);
  const HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("Connection"), "Close");
  EXPECT_TRUE(client.ended()) << "the second request was answered";
  EXPECT_EQ(verified(), 1);
}

TEST_F(LinkingOnce, ARefusedValueSpendsATls13Connection_TLSX_9266_d) {
  TlsClient client = connect(TLS1_3_VERSION);
  const HttpAnswer answer = exchange(client, {{kChallengeOid, flipped(client.channel_binding())}});
  expect_refused(answer);
  EXPECT_EQ(answer.fields.at("Connection"), "Close");
  EXPECT_TRUE(client.ended());
}

TEST_F(LinkingOnce, ATls12ConnectionServesSeveral) {
  TlsClient client = connect(TLS1_2_VERSION);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(exchange(client, {{kChallengeOid, client.channel_binding()}}).status, 200);
  }
  EXPECT_EQ(verified(), 2);
}

/// What is refused before the CSR is looked at has not used the value.
TEST_F(LinkingOnce, EarlierRefusalsDoNotSpendIt_TLSX_9266_d) {
  struct Row {
    int status;
    void (*spoil)(RawEnrol&);
  };
  const std::vector<Row> rows{{401, [](RawEnrol& raw) { raw.account = "nobody:wrong"; }},
                              {415, [](RawEnrol& raw) { raw.type = "text/plain"; }},
                              {400, [](RawEnrol& raw) { raw.body = "no request at all"; }}};
  for (const Row& row : rows) {
    TlsClient client = connect(TLS1_3_VERSION);
    RawEnrol spoilt = request({{kChallengeOid, client.channel_binding()}});
    row.spoil(spoilt);
    client.send(spoilt.bytes());
    const HttpAnswer refused = client.read_answer();
    EXPECT_EQ(refused.status, row.status);
    EXPECT_EQ(refused.fields.at("Connection"), "Keep-Alive") << row.status;
    const HttpAnswer answer = exchange(client, {{kChallengeOid, client.channel_binding()}});
    EXPECT_EQ(answer.status, 200) << "after " << row.status << ": " << answer.body;
  }
}

TEST_F(LinkingOnce, TheFinishedMessageIsNoBindingOnTls13_TLSX_5929_e) {
  constexpr std::size_t kTlsUniqueSize = 12;
  for (const std::size_t size : {kTlsUniqueSize, std::size_t{64}}) {
    TlsClient client = connect(TLS1_3_VERSION);
    Bytes finished(size);
    finished.resize(std::min(size, ::SSL_get_finished(client.ssl(), finished.data(), size)));
    ASSERT_GE(finished.size(), kTlsUniqueSize);
    expect_refused(exchange(client, {{kChallengeOid, finished}}));
  }
}

TEST_F(LinkingOnce, TheExporterIsNoBindingOnTls12_TLSX_9266_c) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  TlsClient client = connect(TLS1_2_VERSION);
  Bytes value(32);
  const unsigned char nothing = 0;
  ASSERT_EQ(::SSL_export_keying_material(client.ssl(), value.data(), value.size(), kLabel.data(),
                                         kLabel.size(), &nothing, 0, 1),
            1);
  expect_refused(exchange(client, {{kChallengeOid, value}}));
}

TEST_F(LinkingOnce, WithoutTheExtendedMasterSecretThereIsNoBinding_TLSX_5929_b) {
  TlsClient client = connect(TLS1_2_VERSION, false);
  const HttpAnswer answer = exchange(client, {{kChallengeOid, client.channel_binding()}});
  expect_refused(answer);
  EXPECT_NE(answer.body.find("extended master secret"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace estia::e2e
