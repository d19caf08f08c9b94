// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/key_spec.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/keys/digest.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature_algorithm.h"
#include "tests/support/refusal.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {
namespace {

using test::refusal;
using test::software_key;

TEST(KeySpec, EveryKnownNameParsesToItself) {
  std::set<std::string> names;
  for (const KeySpec& spec : KeySpec::known()) {
    EXPECT_EQ(KeySpec::parse(spec.name), spec);
    names.insert(spec.name);
  }
  EXPECT_EQ(names, (std::set<std::string>{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072",
                                          "RSA-4096", "Ed25519"}));
}

TEST(KeySpec, RefusesAnyOtherName) {
  for (const char* name :
       {"", "p-256", "P256", "P-256 ", "RSA", "RSA-1024", "rsa-2048", "secp256k1", "X25519"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(KeySpec::parse(name)); }), "config key_spec.unknown")
        << name;
  }
}

TEST(KeySpec, TheRefusalListsWhatIsKnown) {
  try {
    static_cast<void>(KeySpec::parse("P-192"));
    FAIL() << "parsed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("P-256, P-384"), std::string::npos) << error.what();
  }
}

TEST(SignatureAlgorithm, FollowsTheKeyAndEncodesItsParametersAsTheRfcsSay) {
  const auto identifier = [](const char* spec) {
    const PrivateKey key = software_key(spec);
    return to_hex(SignatureAlgorithm::for_key(key.public_key()).algorithm_identifier);
  };
  EXPECT_EQ(identifier("P-256"), "300a06082a8648ce3d040302");  // RFC 5758 3.2: absent
  EXPECT_EQ(identifier("P-384"), "300a06082a8648ce3d040303");
  EXPECT_EQ(identifier("P-521"), "300a06082a8648ce3d040304");
  EXPECT_EQ(identifier("RSA-2048"), "300d06092a864886f70d01010b0500");  // RFC 4055 5: NULL
  EXPECT_EQ(identifier("Ed25519"), "300506032b6570");                   // RFC 8410 3: absent
}

TEST(Digest, AgreesWithTheVectorOfFips180) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, FieldsDoNotRunIntoEachOther) {
  const auto digest = [](std::initializer_list<const char*> fields) {
    Sha256 sha;
    for (const char* field : fields) {
      sha.field(as_bytes(field));
    }
    return sha.finish();
  };
  EXPECT_NE(digest({"ab", "c"}), digest({"a", "bc"}));
  EXPECT_NE(digest({"ab"}), digest({"ab", ""}));
  EXPECT_EQ(digest({"ab", "c"}), digest({"ab", "c"}));
}

}  // namespace
}  // namespace estia::crypto
