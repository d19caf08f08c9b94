// SPDX-License-Identifier: Apache-2.0
// Keys of serverkeygen that leave encrypted for what an operator registered, opened by openssl
// (RFC 7030 4.4.1, RFC 8295).
#include "crypto/base/file.h"
#include "crypto/base/random.h"
#include "tests/e2e/support/key_answer.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/support/csr_with_attributes.h"
#include "tests/support/key_needles.h"

namespace estia::e2e {
namespace {

using test::attribute_of;

constexpr const char* kPassword = "correct horse battery";

struct KeyKind {
  std::size_t octets;
  const char* wrap;    ///< id-aesN-wrap
  const char* cipher;  ///< aesN-CBC
};
constexpr KeyKind kAes128{16, "2.16.840.1.101.3.4.1.5", "2.16.840.1.101.3.4.1.2"};
constexpr KeyKind kAes192{24, "2.16.840.1.101.3.4.1.25", "2.16.840.1.101.3.4.1.22"};
constexpr KeyKind kAes256{32, "2.16.840.1.101.3.4.1.45", "2.16.840.1.101.3.4.1.42"};

std::string random_hex(std::size_t octets) {
  Bytes bytes(octets);
  random_fill(bytes);
  return to_hex(bytes);
}

class EncryptedKeys : public ManagedSite {
 protected:
  /// `init_arguments` are given to `estia init` as well.
  explicit EncryptedKeys(const std::vector<std::string>& init_arguments = {})
      : ManagedSite("any", init_arguments) {
    EXPECT_TRUE(change_configuration("name = \"est\"\n",
                                     "name = \"est\"\nserverkeygen = [\"cms\", \"pkcs12\"]\n"));
  }

  /// A file that only its owner reads.
  [[nodiscard]] std::string secret_file(const std::string& text) const {
    const auto file = client->new_file(".secret");
    write_new_file(file, text + "\n", FileMode::secret);
    return file.string();
  }
  std::vector<std::string> adding(const std::vector<std::string>& owner,
                                  const std::string& identifier, const std::string& key) const {
    std::vector<std::string> arguments{"decrypt-key", "add",        "--identifier",
                                       identifier,    "--key-file", secret_file(key)};
    arguments.insert(arguments.end(), owner.begin(), owner.end());
    return arguments;
  }
  void add(const std::vector<std::string>& owner, const std::string& identifier,
           const std::string& key) const {
    estia_ok(adding(owner, identifier, key));
  }
  /// A request that names its key by DecryptKeyIdentifier, or by the asymmetric one.
  [[nodiscard]] static Bytes request_for(const std::string& common_name, const Bytes& identifier,
                                         const KeyKind& kind, bool asymmetric = false) {
    const char* const oid =
        asymmetric ? "1.2.840.113549.1.9.16.2.54" : "1.2.840.113549.1.9.16.2.37";
    const Bytes wrap = der::sequence({der::oid(kind.wrap)});
    const Bytes agreement = der::sequence({der::oid("1.3.132.1.11.1"), wrap});
    const Bytes cipher = der::sequence({der::oid(kind.cipher)});
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    return test::csr_with_attributes(
        key, "CN=" + common_name,
        {attribute_of("1.2.840.113549.1.9.15", der::sequence({agreement, wrap, cipher})),
         attribute_of(oid, der::octet_string(identifier))});
  }
  [[nodiscard]] Answer ask(const Bytes& csr, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = client->as_ra();
    arguments.insert(arguments.end(), more.begin(), more.end());
    return client->post("serverkeygen", base64_encode(csr), arguments);
  }
  [[nodiscard]] Answer ask_by_key(const std::string& common_name, const std::string& identifier,
                                  const KeyKind& kind = kAes256) const {
    return ask(request_for(common_name, from_hex(identifier), kind));
  }
  [[nodiscard]] Answer ask_for_pkcs12(const std::string& common_name) const {
    return client->post("serverkeygen",
                        EstClient::csr_base64(client->make_device("/CN=" + common_name)),
                        joined(client->as_ra(), {"-H", "Accept: application/pkcs12"}));
  }
  [[nodiscard]] static Bytes read_csr(const Device& device) {
    const std::string csr = read_file(device.csr);
    return {as_bytes(csr).begin(), as_bytes(csr).end()};
  }
  [[nodiscard]] static std::vector<std::string> joined(std::vector<std::string> first,
                                                       const std::vector<std::string>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  /// What openssl finds inside the encrypted part with these arguments of `cms -decrypt`; it must
  /// be signed by the server. The key's file, DER.
  std::filesystem::path opened(const KeyAnswer& saved, const std::vector<std::string>& by) const {
    const auto opened = client->new_file(".der");
    client->openssl(joined(
        {"cms", "-decrypt", "-inform", "DER", "-in", saved.key.string(), "-out", opened.string()},
        by));
    const auto whole = client->new_file(".der");
    const std::string signed_data = read_file(opened);
    write_new_file(whole,
                   std::string(as_text(der::sequence(
                       {der::oid("1.2.840.113549.1.7.2"), der::tlv(0xA0, as_bytes(signed_data))}))),
                   FileMode::secret);
    const auto package = client->new_file(".der");
    client->openssl({"cms", "-verify", "-inform", "DER", "-in", whole.string(), "-CAfile",
                     installation.ca_bundle().string(), "-purpose", "any", "-binary", "-out",
                     package.string()});
    const auto key = client->new_file(".der");
    const std::string keys = read_file(package);
    ByteView rest = as_bytes(keys);
    const ByteView only = der::read(rest).value;
    write_new_file(key, std::string(as_text(only)), FileMode::secret);
    return key;
  }
  /// ... and it is the key of the certificate that came with it.
  void expect_opens(const Answer& answer, const std::vector<std::string>& by) const {
    ASSERT_EQ(answer.status, 200) << answer.body << server->err();
    const KeyAnswer saved = save_parts(*client, answer);
    const auto key = opened(saved, by);
    EXPECT_EQ(client->openssl({"pkey", "-inform", "DER", "-in", key.string(), "-pubout"}),
              client->openssl({"x509", "-in", saved.certificate.string(), "-noout", "-pubkey"}));
  }
  void expect_opens_with(const Answer& answer, const std::string& key,
                         const std::string& identifier) const {
    expect_opens(answer, {"-secretkey", key, "-secretkeyid", identifier});
  }
  void expect_unknown(const Answer& answer) const {
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(answer.body, "the key to encrypt with is not known here\n");
  }
  [[nodiscard]] std::filesystem::path save_pfx(const Answer& answer) const {
    auto pfx = client->new_file(".p12");
    std::string body = answer.body;
    std::erase(body, '\n');
    write_new_file(pfx, std::string(as_text(base64_decode(body))), FileMode::secret);
    return pfx;
  }
  /// Key and certificate, PEM.
  [[nodiscard]] std::filesystem::path unpacked(const std::filesystem::path& pfx) const {
    auto pem = client->new_file(".pem");
    client->openssl({"pkcs12", "-in", pfx.string(), "-passin", std::string("pass:") + kPassword,
                     "-nodes", "-out", pem.string()});
    return pem;
  }
  [[nodiscard]] std::string issued() {
    EXPECT_EQ(server->stop(), 0);
    std::string count = installation.query("SELECT count(*) FROM certificate");
    start();
    return count;
  }

  const std::vector<std::string> kAlias{"--alias", "est"};
};

TEST_F(EncryptedKeys, ASecretKeyOfTheAliasOpensThem_EST_4_4_1_1_a) {
  for (const KeyKind& kind : {kAes128, kAes192, kAes256}) {
    const std::string key = random_hex(kind.octets);
    const std::string identifier = random_hex(kind.octets / 8);
    add(kAlias, identifier, key);
    expect_opens_with(ask_by_key("shared-1", identifier, kind), key, identifier);
  }
}

/// The package inside is signed by the server's TLS key, wherever that is.
class SignedInTheToken : public EncryptedKeys {
 protected:
  SignedInTheToken() : EncryptedKeys({"--tls-key-in-token"}) {}
};

TEST_F(SignedInTheToken, OpensLikeAnyOther) {
  const std::string key = random_hex(32);
  add(kAlias, "70", key);
  expect_opens_with(ask_by_key("in-token-1", "70"), key, "70");
}

/// An end entity's own goes before its alias's, and serves nobody else.
TEST_F(EncryptedKeys, ASecretKeyOfAnEndEntityIsItsAlone) {
  Device first = client->make_device("/CN=own-1");
  client->enroll(first);
  const std::string own = random_hex(32);
  const std::string shared = random_hex(32);
  add({"--username", "OWN-1"}, "6b31", own);
  expect_unknown(ask_by_key("own-2", "6b31"));
  add(kAlias, "6b31", shared);
  expect_opens_with(ask_by_key("own-1", "6b31"), own, "6b31");
  expect_opens_with(ask_by_key("own-2", "6b31"), shared, "6b31");
  estia_ok(
      {"decrypt-key", "remove", "--username", "own-1", "--kind", "secret", "--identifier", "6b31"});
  expect_opens_with(ask_by_key("own-1", "6b31"), shared, "6b31");
}

TEST_F(EncryptedKeys, WhatIsNotKnownIsRefusedAndNoKeyIsMade_EST_4_4_1_1_a) {
  const std::string before = issued();
  expect_unknown(ask_by_key("none-1", "00"));
  add(kAlias, "00", random_hex(16));
  EXPECT_EQ(ask_by_key("none-1", "00", kAes256).status, 400) << "no key wrap of that size";
  EXPECT_TRUE(logged("serverkeygen.no_common_algorithm"));
  estia_ok(joined({"decrypt-key", "remove", "--kind", "secret", "--identifier", "00"}, kAlias));
  expect_unknown(ask_by_key("none-1", "00", kAes128));
  EXPECT_EQ(ask(read_csr(client->make_device("/CN=none-1"))).status, 400) << "not encrypted";
  EXPECT_TRUE(logged("serverkeygen.encryption_required"));
  EXPECT_EQ(issued(), before);
  EXPECT_NE(estia_ok({"status", "--json"}).find("\"delivered\": 0"), std::string::npos);
}

/// A registration authority asks for a device, whose certificate it does not have.
TEST_F(EncryptedKeys, ARegisteredCertificateOpensThem_EST_4_4_1_2_a) {
  const auto key = client->new_file(".key");
  const auto certificate = client->new_file(".pem");
  client->openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes",
                   "-keyout", key.string(), "-out", certificate.string(), "-subj", "/CN=reader",
                   "-addext", "keyUsage=keyAgreement"});
  const std::string added =
      estia_ok(joined({"decrypt-key", "add", "--certificate", certificate.string()}, kAlias));
  const std::size_t at = added.find_first_not_of(' ', added.find("identifier") + 10);
  const std::string identifier = added.substr(at, added.find('\n', at) - at);
  const Answer answer = ask(request_for("reads-1", from_hex(identifier), kAes256, true));
  expect_opens(answer, {"-recip", certificate.string(), "-inkey", key.string()});
  expect_unknown(ask(request_for("reads-1", from_hex("00" + identifier), kAes256, true)));
  expect_unknown(ask(request_for("reads-1", from_hex(identifier), kAes256, false)));
}

TEST_F(EncryptedKeys, APasswordOpensPkcs12) {
  EXPECT_EQ(ask_for_pkcs12("pfx-1").status, 400);
  EXPECT_TRUE(logged("serverkeygen.no_password"));
  estia_ok(joined({"decrypt-key", "add", "--password-file", secret_file(kPassword)}, kAlias));
  const Answer answer = ask_for_pkcs12("pfx-1");
  ASSERT_EQ(answer.status, 200) << answer.body << server->err();
  EXPECT_EQ(answer.header("Content-Type"), "application/pkcs12");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  const auto pfx = save_pfx(answer);
  const auto pem = unpacked(pfx);
  EXPECT_EQ(client->openssl({"x509", "-in", pem.string(), "-noout", "-pubkey"}),
            client->openssl({"pkey", "-in", pem.string(), "-pubout"}));
  EXPECT_ANY_THROW(client->openssl({"pkcs12", "-in", pfx.string(), "-passin",
                                    std::string("pass:") + installation.password(), "-noout"}));
}

/// Found by a hostile client: a second line was not looked at, and the key left in the clear.
TEST_F(EncryptedKeys, EveryAcceptLineCounts) {
  ASSERT_TRUE(change_configuration("[\"cms\", \"pkcs12\"]", "[\"pkcs8\", \"pkcs12\"]"));
  estia_ok(joined({"decrypt-key", "add", "--password-file", secret_file(kPassword)}, kAlias));
  const std::string packed = "Accept: application/pkcs12";
  for (const auto& [first, second] : {std::pair{packed, std::string("Accept: multipart/mixed")},
                                      std::pair{std::string("Accept: */*"), packed}}) {
    const Answer answer =
        ask(read_csr(client->make_device("/CN=lines-1")), {"-H", first, "-H", second});
    EXPECT_EQ(answer.header("Content-Type"), "application/pkcs12") << first << answer.body;
  }
}

TEST_F(EncryptedKeys, OneFormForOneRequest) {
  estia_ok(joined({"decrypt-key", "add", "--password-file", secret_file(kPassword)}, kAlias));
  add(kAlias, "6b31", random_hex(32));
  const std::vector<std::string> accept{"-H", "Accept: application/pkcs12"};
  EXPECT_EQ(ask(request_for("both-1", from_hex("6b31"), kAes256), accept).status, 400);
  EXPECT_TRUE(logged("serverkeygen.pkcs12_encrypted"));
  ASSERT_TRUE(
      change_configuration("serverkeygen = [\"cms\", \"pkcs12\"]", "serverkeygen = [\"cms\"]"));
  EXPECT_EQ(ask_for_pkcs12("both-1").status, 400);
  EXPECT_TRUE(logged("serverkeygen.pkcs12_off"));
  ASSERT_TRUE(change_configuration("serverkeygen = [\"cms\"]", "serverkeygen = [\"pkcs12\"]"));
  EXPECT_EQ(ask(read_csr(client->make_device("/CN=both-1"))).header("Content-Type"),
            "application/pkcs12")
      << "where nothing else is given";
}

/// In the store they are worth nothing without the token, and they are nowhere else.
TEST_F(EncryptedKeys, WhatIsSecretStandsInNoFileAndNoOutput) {
  const std::string key = random_hex(32);
  std::string shown;
  shown += estia_ok(adding(kAlias, "6b31", key));
  shown +=
      estia_ok(joined({"decrypt-key", "add", "--password-file", secret_file(kPassword)}, kAlias));
  shown += estia(adding(kAlias, "6b31", key)).err;
  shown += estia(adding(kAlias, "not hexadecimal", key)).err;
  shown += estia_ok(joined({"decrypt-key", "list", "--json"}, kAlias));
  EXPECT_EQ(ask_for_pkcs12("quiet-1").status, 200);
  kill_and_start();
  expect_opens_with(ask_by_key("quiet-1", "6b31"), key, "6b31");
  shown += server->err();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(state())) {
    if (entry.is_regular_file()) {
      shown += read_file(entry.path(), 64U << 20U);
    }
  }
  const Bytes raw = from_hex(key);
  EXPECT_EQ(shown.find(key), std::string::npos);
  EXPECT_EQ(shown.find(as_text(raw)), std::string::npos);
  EXPECT_EQ(shown.find(kPassword), std::string::npos);
  EXPECT_NE(shown.find("decrypt_key.exists"), std::string::npos);
}

/// As key_memory_test.cpp, for the packages that are not the key itself.
TEST_F(EncryptedKeys, NothingIsLeftInMemoryOnceTheyAreDelivered) {
  const std::string secret = random_hex(32);
  add(kAlias, "6b31", secret);
  estia_ok(joined({"decrypt-key", "add", "--password-file", secret_file(kPassword)}, kAlias));
  std::vector<test::Needle> needles;
  const auto look_for = [&](const std::filesystem::path& key) {
    const std::string pkcs8 = read_file(key);
    const auto of_key = test::needles_of(as_bytes(pkcs8), false);
    needles.insert(needles.end(), of_key.begin(), of_key.end());
  };
  for (int i = 0; i < 5; ++i) {
    const Answer sealed = ask_by_key("gone-1", "6b31");
    ASSERT_EQ(sealed.status, 200) << sealed.body;
    look_for(opened(save_parts(*client, sealed), {"-secretkey", secret, "-secretkeyid", "6b31"}));
    const auto key = client->new_file(".der");
    client->openssl({"pkcs8", "-topk8", "-nocrypt", "-in",
                     unpacked(save_pfx(ask_for_pkcs12("gone-2"))).string(), "-outform", "DER",
                     "-out", key.string()});
    look_for(key);
  }
  for (const test::Needle& needle : needles) {
    EXPECT_EQ(test::count_in(server->child().pid(), needle), 0U);
  }
}

TEST_F(EncryptedKeys, AKeyOfAnAliasGoesWithIt) {
  const std::string alias =
      "[[alias]]\nname = \"lab\"\nca = \"issuing\"\nend_entity_profile = \"device\"\n"
      "certificate_profile = \"device\"\nserverkeygen = [\"cms\"]\n";
  ASSERT_TRUE(add_configuration(alias));
  add({"--alias", "lab"}, "6b31", random_hex(32));
  EXPECT_NE(estia_ok({"decrypt-key", "list", "--alias", "lab"}).find("6b31"), std::string::npos);
  const Finished renamed = apply([&] {
    std::string document = estia_ok({"config", "export"});
    return document.replace(document.find("name = \"lab\""), 12, "name = \"labor\"");
  }());
  EXPECT_EQ(renamed.code, 0) << renamed.err;
  EXPECT_NE((renamed.out + renamed.err).find("what decrypt-key registered for it goes with it"),
            std::string::npos)
      << renamed.out << renamed.err;
  ASSERT_TRUE(change_configuration("name = \"labor\"", "name = \"lab\""));
  EXPECT_EQ(estia_ok({"decrypt-key", "list", "--alias", "lab"}), "");
}

TEST_F(EncryptedKeys, ExplainSaysHowAKeyWouldLeave) {
  add(kAlias, "6b31", random_hex(32));
  const auto password = client->new_file(".password");
  write_new_file(password, installation.password(), FileMode::secret);
  const auto explain = [&](const Bytes& csr, const std::vector<std::string>& more = {}) {
    const auto file = client->new_file(".csr");
    write_new_file(file, std::string(as_text(csr)), FileMode::readable);
    return estia_ok(joined({"explain", "--operation", "serverkeygen", "--csr", file.string(),
                            "--user", installation.user(), "--password-file", password.string()},
                           more));
  };
  EXPECT_NE(
      explain(request_for("told-1", from_hex("6b31"), kAes256)).find("cms for secret key 6b31"),
      std::string::npos);
  EXPECT_NE(
      explain(request_for("told-1", from_hex("6b32"), kAes256)).find("serverkeygen.unknown_key"),
      std::string::npos);
  EXPECT_NE(explain(read_csr(client->make_device("/CN=told-1")), {"--accept", "application/pkcs12"})
                .find("serverkeygen.no_password"),
            std::string::npos);
}

}  // namespace
}  // namespace estia::e2e
