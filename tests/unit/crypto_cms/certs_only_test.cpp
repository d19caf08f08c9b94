// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/certs_only.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>

#include "crypto/base/der.h"
#include "crypto/base/file.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "tests/support/openssl_command.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}

using CmsPtr = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;

TEST(CertsOnly, HasExactlyTheFormOfRfc7030_EST_4_1_3_b) {
  const Certificate certificate = make_root().certificate;
  const Bytes expected_end = from_hex("3100");  // signerInfos {}
  const Bytes cms = certs_only({certificate});
  EXPECT_NO_THROW(der::check_structure(cms));
  ByteView rest = cms;
  ByteView content_info = der::read(rest).value;
  EXPECT_EQ(to_hex(der::read(content_info).whole), "06092a864886f70d010702");
  ByteView wrapper = der::read(content_info).value;
  EXPECT_TRUE(content_info.empty());
  ByteView signed_data = der::read(wrapper).value;
  EXPECT_EQ(to_hex(der::read(signed_data).whole), "020101");
  EXPECT_EQ(to_hex(der::read(signed_data).whole), "3100");
  EXPECT_EQ(to_hex(der::read(signed_data).whole), "300b06092a864886f70d010701");
  const der::Element certificates = der::read(signed_data);
  EXPECT_EQ(certificates.tag, 0xA0);
  EXPECT_EQ(Bytes(certificates.value.begin(), certificates.value.end()), certificate.der());
  EXPECT_EQ(Bytes(signed_data.begin(), signed_data.end()), expected_end);
}

TEST(CertsOnly, OpensslReadsEveryCertificateByBothOfItsReaders) {
  const test::ScratchDirectory scratch;
  const Issuer root = make_root("Root CA");
  const Issuer sub = make_sub_ca(root, "Issuing CA");
  const Bytes cms = certs_only({sub.certificate, root.certificate});
  const auto file = scratch.path() / "certs.p7";
  write_new_file(file, as_text(cms), FileMode::readable);
  for (const std::string command :
       {"pkcs7 -inform DER -print_certs -in ", "cms -cmsout -print -inform DER -in "}) {
    const auto printed = test::openssl_command(command + file.string());
    EXPECT_EQ(printed.status, 0) << printed.output;
    EXPECT_NE(printed.output.find("Root CA"), std::string::npos);
    EXPECT_NE(printed.output.find("Issuing CA"), std::string::npos);
  }
}

/// The same message by OpenSSL's CMS, from its own objects.
Bytes made_by_openssl(const std::vector<Certificate>& certificates) {
  const CmsPtr cms(require(::CMS_sign_ex(nullptr, nullptr, nullptr, nullptr,
                                         CMS_DETACHED | CMS_PARTIAL, library(), nullptr),
                           "CMS_sign_ex"));
  for (const Certificate& certificate : certificates) {
    require(::CMS_add1_cert(cms.get(), certificate.openssl()), "CMS_add1_cert");
  }
  unsigned char* out = nullptr;
  const int size = ::i2d_CMS_ContentInfo(cms.get(), &out);
  require(size > 0 ? 1 : 0, "i2d_CMS_ContentInfo");
  const OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

TEST(CertsOnly, IsByteForByteWhatOpensslMakes_CMS_5_1) {
  const Issuer root = make_root();
  const Issuer sub = make_sub_ca(root, "Issuing CA");
  const Issuer other = make_root("Another root with a longer name");
  for (const std::vector<Certificate>& certificates :
       {std::vector{root.certificate}, std::vector{sub.certificate, root.certificate},
        std::vector{root.certificate, sub.certificate},
        std::vector{other.certificate, sub.certificate, root.certificate}}) {
    const Bytes ours = certs_only(certificates);
    EXPECT_EQ(to_hex(ours), to_hex(made_by_openssl(certificates)));
    const unsigned char* at = ours.data();
    const CmsPtr read(::d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(ours.size())));
    ASSERT_NE(read, nullptr);
    EXPECT_EQ(at, ours.data() + ours.size());
    const Owned<STACK_OF(X509), free_certificates> held(::CMS_get1_certs(read.get()));
    EXPECT_EQ(sk_X509_num(held.get()), static_cast<int>(certificates.size()));
  }
}

TEST(CertsOnly, TakesTheDerOfCertificatesAsItIs) {
  const Certificate certificate = make_root().certificate;
  EXPECT_EQ(certs_only(std::vector<Bytes>{certificate.der()}), certs_only({certificate}));
}

TEST(CertsOnly, TheSetIsSortedWhateverTheOrderGiven) {
  const Issuer root = make_root();
  const Issuer sub = make_sub_ca(root, "Issuing CA");
  const Issuer other = make_root("Other");
  const Bytes expected = certs_only({root.certificate, sub.certificate, other.certificate});
  EXPECT_EQ(certs_only({other.certificate, root.certificate, sub.certificate}), expected);
  EXPECT_EQ(certs_only({sub.certificate, other.certificate, root.certificate}), expected);
}

TEST(CertsOnly, RefusesAnEmptyList) {
  EXPECT_EQ(test::refusal([] { static_cast<void>(certs_only(std::vector<Bytes>{})); }),
            "internal cms.no_certificates");
}

}  // namespace
}  // namespace estia::crypto
