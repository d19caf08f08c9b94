// SPDX-License-Identifier: Apache-2.0
// What crypto/cms packs keys into, read by Bouncy Castle, the JDK, GnuTLS and openssl: forms that
// no alias gives yet, and algorithms beyond those that the clients of
// serverkeygen_clients_test.cpp ask for.
#include "crypto/cms/enveloped_key.h"
#include "crypto/cms/key_package.h"
#include "crypto/cms/pkcs12.h"
#include "tests/conformance/java_program.h"
#include "tests/conformance/site.h"
#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::conformance {
namespace {

using crypto::KeyRecipient;

const Bytes kIdentifier{'k', 'e', 'y', ' ', '7'};

/// A key as it is delivered, with its certificate.
struct Delivered {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

Delivered delivered_of(const std::string& kind) {
  const crypto::Issuer root = crypto::make_root();
  const crypto::PrivateKey key = test::software_key(kind);
  crypto::CertificateContents contents = crypto::leaf_contents(root, key.public_key());
  std::erase_if(contents.extensions, [](const crypto::Extension& extension) {
    return extension.oid == crypto::oid::kKeyUsage;
  });
  return {key, signed_certificate(contents, root.key)};
}

class KeyPackageReaders : public testing::Test {
 protected:
  /// Encrypted and signed for this recipient; the files that KeyOpener reads are written.
  void pack(const Delivered& delivered, const std::string& signer_kind,
            const KeyRecipient& recipient) const {
    const crypto::Issuer signer = crypto::signer_of(signer_kind);
    desk_.put("signer.pem", signer.certificate.to_pem());
    desk_.put("made.pem", delivered.certificate.to_pem());
    desk_.put("made.p7m", crypto::enveloped_key(crypto::signed_key_package(
                                                    crypto::pkcs8_of(delivered.key), signer.key,
                                                    signer.certificate, crypto::kNow),
                                                recipient));
    std::filesystem::remove(path("made.key"));
  }
  [[nodiscard]] e2e::Finished open(const std::string& how,
                                   const std::vector<std::string>& by) const {
    return run(java_program("KeyOpener",
                            std::vector<std::string>{how, path("made.p7m"), path("signer.pem"),
                                                     path("made.pem"), path("made.key")} +
                                by));
  }
  [[nodiscard]] e2e::Finished run(const std::vector<std::string>& command) const {
    return e2e::run(command, std::filesystem::path(path("out")).parent_path());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return desk_.path(name); }
  [[nodiscard]] bool have_key() const { return std::filesystem::exists(path("made.key")); }

  const crypto::Desk desk_;
};

TEST_F(KeyPackageReaders, BouncyCastleDecryptsWithEverySecretKey_EST_4_4_2_e) {
  const Delivered delivered = delivered_of("P-256");
  for (const crypto::KeyWrap& wrap : crypto::known_key_wraps()) {
    const Bytes secret(wrap.bits / 8, static_cast<std::uint8_t>(wrap.bits));
    const KeyRecipient recipient =
        crypto::secret_key_recipient(kIdentifier, Secret(secret), {.key_wraps = {wrap}});
    pack(delivered, "P-384", recipient);
    const std::string file = desk_.put("secret", to_hex(secret) + "\n");
    const e2e::Finished opened = open("secret", {to_hex(kIdentifier), file});
    EXPECT_EQ(opened.code, 0) << wrap.cipher << opened.err;
    EXPECT_EQ(opened.out, "opened KEKRecipientInformation " + std::string(wrap.oid) + " " +
                              std::string(recipient.cipher.oid) + "\n");
    EXPECT_TRUE(have_key());
  }
}

TEST_F(KeyPackageReaders, BouncyCastleWithAnotherSecretKeyGetsNothing) {
  const Bytes secret(32, 7);
  pack(delivered_of("P-256"), "P-384",
       crypto::secret_key_recipient(kIdentifier, Secret(secret),
                                    {.key_wraps = {crypto::known_key_wraps()[2]}}));
  Bytes wrong = secret;
  wrong.back() ^= 1U;
  const e2e::Finished refused =
      open("secret", {to_hex(kIdentifier), desk_.put("wrong", to_hex(wrong))});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("org.bouncycastle.cms.CMSException"), std::string::npos)
      << refused.err;
  const e2e::Finished unknown = open("secret", {"00", desk_.put("secret", to_hex(secret))});
  EXPECT_NE(unknown.err.find("encrypted for somebody else"), std::string::npos) << unknown.err;
  EXPECT_FALSE(have_key());
}

/// Of the key wraps after ECDH, Bouncy Castle 1.72 knows those without padding only.
TEST_F(KeyPackageReaders, BouncyCastleOpensWhatOtherClientsAskFor_EST_4_4_2_e) {
  struct Wish {
    const char* own;
    const char* signer;
    crypto::SmimeCapabilities capabilities;
  };
  const auto agreement = [](std::size_t scheme, std::size_t wrap) {
    return crypto::SmimeCapabilities{
        .key_agreements = {
            {crypto::known_key_agreement_schemes()[scheme], crypto::known_key_wraps()[wrap]}}};
  };
  const auto transport = [](std::size_t digest) {
    return crypto::SmimeCapabilities{.key_transports = {crypto::known_key_transports()[digest]}};
  };
  const Delivered delivered = delivered_of("RSA-2048");
  for (const Wish& wish :
       {Wish{"RSA-3072", "RSA-2048", transport(1)}, Wish{"RSA-2048", "Ed25519", transport(2)},
        Wish{"P-521", "P-256", agreement(2, 2)}, Wish{"P-256", "P-521", agreement(1, 1)}}) {
    const Delivered own = delivered_of(wish.own);
    pack(delivered, wish.signer,
         crypto::certificate_recipient(own.certificate.subject_key_identifier(), own.certificate,
                                       wish.capabilities));
    const e2e::Finished opened =
        open("certificate", {desk_.put("own.key", own.key.to_pem().text()),
                             desk_.put("own.pem", own.certificate.to_pem())});
    EXPECT_EQ(opened.code, 0) << wish.own << opened.err;
    EXPECT_TRUE(have_key()) << wish.own;
  }
}

/// One key and its certificate as a PFX, and what every reader of such files makes of it.
class PfxReaders : public KeyPackageReaders {
 protected:
  void pack_pfx(const Delivered& delivered, std::string_view password) const {
    desk_.put("made.p12",
              crypto::pkcs12(crypto::shroud_key(crypto::pkcs8_of(delivered.key), Secret(password)),
                             delivered.certificate));
    public_key_ = to_hex(delivered.key.public_key().spki());
    certificate_ = delivered.certificate.to_pem();
  }
  /// The key (PEM) that a reader found is the one that was packed.
  void expect_key(const std::string& file, const std::string& options = {}) const {
    EXPECT_EQ(to_hex(desk_.output_of("pkey -in " + file + " " + options + " -pubout -outform DER")),
              public_key_)
        << desk_.report();
  }
  /// So is the certificate: `text` has it as PEM, among other things.
  void expect_certificate(const std::string& text) const {
    EXPECT_NE(text.find(certificate_), std::string::npos) << text;
  }
  [[nodiscard]] e2e::Finished java(const std::string& provider, const std::string& password) const {
    for (const char* name : {"pfx.key", "pfx.pem"}) {
      std::filesystem::remove(path(name));
    }
    return run(
        java_program("KeyOpener", {"pfx", path("made.p12"), desk_.put("password", password + "\n"),
                                   provider, path("pfx.key"), path("pfx.pem")}));
  }
  [[nodiscard]] e2e::Finished certtool(const std::string& password) const {
    require_program("certtool", "gnutls-bin");
    return run({"certtool", "--p12-info", "--inder", "--password", password, "--infile",
                path("made.p12")});
  }
  [[nodiscard]] Bytes openssl(const std::string& password, const std::string& options) const {
    return desk_.output_of("pkcs12 -in " + path("made.p12") + " -passin file:" +
                           desk_.put("password", password + "\n") + " " + options);
  }

 private:
  mutable std::string public_key_;
  mutable std::string certificate_;
};

constexpr const char* kPassword = "Gruß 7-kitten";
constexpr const char* kKinds[] = {"P-256", "P-521", "RSA-2048"};

TEST_F(PfxReaders, Openssl) {
  for (const char* kind : kKinds) {
    pack_pfx(delivered_of(kind), kPassword);
    expect_key(desk_.put("pfx.key", openssl(kPassword, "-nodes -nocerts")));
    expect_certificate(std::string(as_text(openssl(kPassword, "-nokeys -clcerts"))));
    EXPECT_TRUE(openssl("Gruss 7-kitten", "-nodes").empty());
  }
}

TEST_F(PfxReaders, BouncyCastle) {
  for (const char* kind : kKinds) {
    pack_pfx(delivered_of(kind), kPassword);
    const e2e::Finished read = java("BC", kPassword);
    ASSERT_EQ(read.code, 0) << kind << read.err;
    expect_key(path("pfx.key"));
    expect_certificate(std::string(as_text(desk_.get("pfx.pem"))));
  }
  const e2e::Finished refused = java("BC", "Gruss 7-kitten");
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("wrong password"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(path("pfx.key")));
}

/// The JDK's own reader takes PBES2 with passwords of ASCII only, also in files of openssl's.
TEST_F(PfxReaders, Jdk) {
  pack_pfx(delivered_of("RSA-2048"), "7-kitten");
  const e2e::Finished read = java("SunJSSE", "7-kitten");
  ASSERT_EQ(read.code, 0) << read.err;
  expect_key(path("pfx.key"));
  const e2e::Finished refused = java("SunJSSE", "8-kitten");
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("Failed PKCS12 integrity checking"), std::string::npos) << refused.err;
}

TEST_F(PfxReaders, Gnutls) {
  for (const char* kind : kKinds) {
    pack_pfx(delivered_of(kind), kPassword);
    const e2e::Finished read = certtool(kPassword);
    ASSERT_EQ(read.code, 0) << kind << read.err;
    expect_certificate(read.out);
    // certtool shows the bag's key as it is, encrypted: reading it is another command of its. That
    // one would print an EC key without its curve, which only certtool reads.
    const std::string begin = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    ASSERT_NE(read.out.find(begin), std::string::npos) << read.out;
    const std::string sealed = desk_.put("sealed.key", read.out.substr(read.out.find(begin)));
    const e2e::Finished key = run({"certtool", "--pubkey-info", "--no-text", "--pkcs8",
                                   "--password", kPassword, "--load-privkey", sealed});
    ASSERT_EQ(key.code, 0) << kind << key.err;
    expect_key(desk_.put("pfx.pub", key.out), "-pubin");
  }
  const e2e::Finished refused = certtool("Gruss 7-kitten");
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("Message Authentication Code"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace estia::conformance
