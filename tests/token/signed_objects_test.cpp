// SPDX-License-Identifier: Apache-2.0
// Certificates, CRLs, OCSP answers, CMS and TLS through plain OpenSSL calls with token keys.
#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "tests/token/openssl_objects.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

using crypto::require;

using BasicResponsePtr = crypto::Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using CertIdPtr = crypto::Owned<OCSP_CERTID, OCSP_CERTID_free>;
using CmsPtr = crypto::Owned<CMS_ContentInfo, CMS_ContentInfo_free>;

/// As a peer sees it: the object that was signed still holds the token key, which cannot verify.
CmsPtr parsed_again(CMS_ContentInfo* cms) {
  unsigned char* der = nullptr;
  const int size = ::i2d_CMS_ContentInfo(cms, &der);
  require(size > 0 ? 1 : 0, "i2d_CMS_ContentInfo");
  const crypto::OpenSslPtr<unsigned char> owned(der);
  CMS_ContentInfo* fresh =
      require(::CMS_ContentInfo_new_ex(crypto::library(), nullptr), "CMS_ContentInfo_new_ex");
  const unsigned char* at = der;
  CmsPtr made(::d2i_CMS_ContentInfo(&fresh, &at, size));
  require(made.get(), "d2i_CMS_ContentInfo");
  return made;
}

class SignedBy : public TokenTest, public ::testing::WithParamInterface<const char*> {
 protected:
  [[nodiscard]] EVP_PKEY* half() const { return key_.public_key().evp(); }

  std::shared_ptr<Token> token_ = open();
  crypto::PrivateKey key_ = token_->generate(spec(GetParam()), "ca");
  crypto::X509Ptr certificate_ = self_signed(key_, digest_for(key_));
};

TEST_P(SignedBy, Certificate) {
  EXPECT_EQ(::X509_verify(certificate_.get(), half()), 1);
  EXPECT_EQ(::X509_check_private_key(certificate_.get(), key_.evp()), 1);
  const auto other = crypto::PrivateKey::generate_software(spec("P-256"));
  EXPECT_NE(::X509_verify(certificate_.get(), other.evp()), 1);
}

TEST_P(SignedBy, Crl) {
  const crypto::X509CrlPtr crl(require(::X509_CRL_new_ex(crypto::library(), nullptr), "CRL"));
  const crypto::Asn1TimePtr now(require(::X509_gmtime_adj(nullptr, 0), "X509_gmtime_adj"));
  require(::X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2), "X509_CRL_set_version");
  require(::X509_CRL_set_issuer_name(crl.get(), ::X509_get_subject_name(certificate_.get())),
          "X509_CRL_set_issuer_name");
  require(::X509_CRL_set1_lastUpdate(crl.get(), now.get()), "X509_CRL_set1_lastUpdate");
  require(::X509_CRL_set1_nextUpdate(crl.get(), now.get()), "X509_CRL_set1_nextUpdate");
  ASSERT_GT(::X509_CRL_sign(crl.get(), key_.evp(), digest_for(key_)), 0);
  EXPECT_EQ(::X509_CRL_verify(crl.get(), half()), 1);
}

TEST_P(SignedBy, OcspAnswer) {
  const BasicResponsePtr answer(require(::OCSP_BASICRESP_new(), "OCSP_BASICRESP_new"));
  const CertIdPtr id(require(
      ::OCSP_cert_to_id(::EVP_sha1(), certificate_.get(), certificate_.get()), "OCSP_cert_to_id"));
  const crypto::Asn1TimePtr now(require(::X509_gmtime_adj(nullptr, 0), "X509_gmtime_adj"));
  require(::OCSP_basic_add1_status(answer.get(), id.get(), V_OCSP_CERTSTATUS_GOOD, 0, nullptr,
                                   now.get(), nullptr),
          "OCSP_basic_add1_status");
  const EVP_MD* digest = digest_for(key_);
  ASSERT_EQ(::OCSP_basic_sign(answer.get(), certificate_.get(), key_.evp(), digest, nullptr, 0), 1);
  const crypto::X509StorePtr store(require(::X509_STORE_new(), "X509_STORE_new"));
  require(::X509_STORE_add_cert(store.get(), certificate_.get()), "X509_STORE_add_cert");
  EXPECT_EQ(::OCSP_basic_verify(answer.get(), nullptr, store.get(), 0), 1);
}

TEST_P(SignedBy, Cms) {
  std::string text = "content";
  const crypto::BioPtr content(
      require(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "BIO_new_mem_buf"));
  const CmsPtr signed_here(::CMS_sign_ex(certificate_.get(), key_.evp(), nullptr, content.get(),
                                         CMS_BINARY, crypto::library(), nullptr));
  if (digest_for(key_) == nullptr) {
    EXPECT_EQ(signed_here, nullptr) << "OpenSSL has no default digest for Ed25519 in CMS";
    return;
  }
  ASSERT_NE(signed_here, nullptr) << crypto::drain_errors();
  const CmsPtr cms = parsed_again(signed_here.get());
  const crypto::X509StorePtr store(require(::X509_STORE_new(), "X509_STORE_new"));
  require(::X509_STORE_add_cert(store.get(), certificate_.get()), "X509_STORE_add_cert");
  const crypto::BioPtr out(require(::BIO_new(::BIO_s_mem()), "BIO_new"));
  EXPECT_EQ(::CMS_verify(cms.get(), nullptr, store.get(), nullptr, out.get(),
                         CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
            1)
      << crypto::drain_errors();
}

class Handshake {
 public:
  Handshake(const crypto::PrivateKey& key, X509* certificate, int version)
      : server_context_(context(::TLS_server_method(), version)),
        client_context_(context(::TLS_client_method(), version)) {
    require(::SSL_CTX_use_certificate(server_context_.get(), certificate), "use_certificate");
    require(::SSL_CTX_use_PrivateKey(server_context_.get(), key.evp()), "use_PrivateKey");
    require(::X509_STORE_add_cert(::SSL_CTX_get_cert_store(client_context_.get()), certificate),
            "X509_STORE_add_cert");
    ::SSL_CTX_set_verify(client_context_.get(), SSL_VERIFY_PEER, nullptr);
    server_.reset(require(::SSL_new(server_context_.get()), "SSL_new"));
    client_.reset(require(::SSL_new(client_context_.get()), "SSL_new"));
    BIO* server_end = nullptr;
    BIO* client_end = nullptr;
    require(::BIO_new_bio_pair(&server_end, 0, &client_end, 0), "BIO_new_bio_pair");
    ::SSL_set_bio(server_.get(), server_end, server_end);
    ::SSL_set_bio(client_.get(), client_end, client_end);
    ::SSL_set_accept_state(server_.get());
    ::SSL_set_connect_state(client_.get());
  }

  [[nodiscard]] bool complete() {
    bool done = false;
    for (int flight = 0; flight < 10 && !done; ++flight) {
      const int client = ::SSL_do_handshake(client_.get());
      const int server = ::SSL_do_handshake(server_.get());
      done = client == 1 && server == 1;
    }
    return done;
  }
  [[nodiscard]] int version() const { return ::SSL_version(client_.get()); }

 private:
  static crypto::SslCtxPtr context(const SSL_METHOD* method, int version) {
    crypto::SslCtxPtr made(
        require(::SSL_CTX_new_ex(crypto::library(), nullptr, method), "SSL_CTX_new_ex"));
    require(static_cast<int>(::SSL_CTX_set_min_proto_version(made.get(), version)), "min_proto");
    require(static_cast<int>(::SSL_CTX_set_max_proto_version(made.get(), version)), "max_proto");
    return made;
  }

  crypto::SslCtxPtr server_context_;
  crypto::SslCtxPtr client_context_;
  crypto::SslPtr server_;
  crypto::SslPtr client_;
};

TEST_P(SignedBy, TlsServerKey) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Handshake handshake(key_, certificate_.get(), version);
    EXPECT_TRUE(handshake.complete()) << GetParam() << " " << crypto::drain_errors();
    EXPECT_EQ(handshake.version(), version);
  }
}

std::string kind_name(const ::testing::TestParamInfo<const char*>& kind) {
  std::string name = kind.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, SignedBy,
                         ::testing::Values("P-256", "P-384", "RSA-2048", "Ed25519"), kind_name);

}  // namespace
}  // namespace estia::hsm
