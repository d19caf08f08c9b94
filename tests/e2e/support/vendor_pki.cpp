// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/vendor_pki.h"

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

constexpr std::size_t kLargest = 1U << 20U;
constexpr const char* kCaExtensions =
    "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
    "subjectKeyIdentifier = hash\n";
constexpr const char* kDeviceExtensions =
    "basicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\n"
    "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n";

}  // namespace

VendorPki::VendorPki(const EstClient& client, const std::string& name)
    : client_(client),
      root_(make_ca("/CN=" + name + " Root", nullptr)),
      intermediate_(make_ca("/CN=" + name + " Devices", &root_)) {}

VendorPki::Ca VendorPki::make_ca(const std::string& subject, const Ca* issuer) const {
  Ca made{.key = client_.new_file(".key"),
          .certificate = client_.new_file(".pem"),
          .database = client_.new_file(".db")};
  std::filesystem::create_directory(made.database);
  for (const auto& [file, text] : {std::pair{"index.txt", ""}, std::pair{"crlnumber", "01\n"}}) {
    write_new_file(made.database / file, text, FileMode::secret);
  }
  client_.openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                   made.key.string()});
  const auto request = client_.new_file(".csr");
  client_.openssl(
      {"req", "-new", "-key", made.key.string(), "-subj", subject, "-out", request.string()});
  if (issuer == nullptr) {
    const auto extensions = client_.new_file(".ext");
    write_new_file(extensions, kCaExtensions, FileMode::secret);
    client_.openssl({"x509", "-req", "-in", request.string(), "-signkey", made.key.string(),
                     "-days", "30", "-extfile", extensions.string(), "-out",
                     made.certificate.string()});
  } else {
    sign(*issuer, request, std::string(kCaExtensions) + "authorityKeyIdentifier = keyid\n",
         made.certificate);
  }
  return made;
}

void VendorPki::sign(const Ca& issuer, const std::filesystem::path& request,
                     const std::string& extensions,
                     const std::filesystem::path& certificate) const {
  const auto file = client_.new_file(".ext");
  write_new_file(file, extensions, FileMode::secret);
  client_.openssl({"x509", "-req", "-in", request.string(), "-CA", issuer.certificate.string(),
                   "-CAkey", issuer.key.string(), "-CAcreateserial", "-CAserial",
                   (issuer.database / "serial").string(), "-days", "20", "-extfile", file.string(),
                   "-out", certificate.string()});
}

Device VendorPki::make_device(const std::string& subject, const std::string& extensions) const {
  return make_device_of(intermediate_, subject, extensions);
}

Device VendorPki::make_device_of(const Ca& issuer, const std::string& subject,
                                 const std::string& extensions) const {
  Device device = client_.make_device(subject);
  device.certificate = client_.new_file(".pem");
  const auto request = client_.new_file(".csr");
  client_.openssl({"req", "-inform", "DER", "-in", device.csr.string(), "-out", request.string()});
  sign(issuer, request, kDeviceExtensions + extensions, device.certificate);
  const std::string chain =
      read_file(device.certificate, kLargest) + read_file(issuer.certificate, kLargest);
  replace_file(device.certificate, chain, FileMode::secret);
  return device;
}

Device VendorPki::without_chain(const Device& device) const {
  Device alone = device;
  alone.certificate = client_.new_file(".pem");
  client_.openssl({"x509", "-in", device.certificate.string(), "-out", alone.certificate.string()});
  return alone;
}

std::filesystem::path VendorPki::ca_configuration(const Ca& issuer) const {
  const auto file = client_.new_file(".cnf");
  write_new_file(
      file,
      "[ca]\ndefault_ca = ca\n[ca]\ndatabase = " + (issuer.database / "index.txt").string() +
          "\ncrlnumber = " + (issuer.database / "crlnumber").string() +
          "\ndefault_md = sha256\ncertificate = " + issuer.certificate.string() +
          "\nprivate_key = " + issuer.key.string() +
          "\ncrl_extensions = crl_ext\n[crl_ext]\nauthorityKeyIdentifier = keyid\n",
      FileMode::secret);
  return file;
}

void VendorPki::revoke(const Ca& issuer, const std::filesystem::path& certificate) const {
  client_.openssl(
      {"ca", "-config", ca_configuration(issuer).string(), "-revoke", certificate.string()});
}

std::filesystem::path VendorPki::make_crl(const Ca& issuer, int seconds) const {
  auto crl = client_.new_file(".crl");
  client_.openssl({"ca", "-config", ca_configuration(issuer).string(), "-gencrl", "-crlsec",
                   std::to_string(seconds), "-out", crl.string()});
  return crl;
}

}  // namespace estia::e2e
