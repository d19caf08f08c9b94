// SPDX-License-Identifier: Apache-2.0
// What an attempt costs does not tell what was wrong with it (T11, D16): hashes are counted, never
// timed.
#include <dlfcn.h>
#include <openssl/evp.h>

#include <atomic>

#include "tests/unit/auth/authentication_fixture.h"

namespace {

std::atomic<int> digests = 0;  // that were finished in this process by code of ours

}  // namespace

/// Stands in front of OpenSSL's for everything that is linked into this program.
extern "C" int EVP_DigestFinal_ex(EVP_MD_CTX* context, unsigned char* out, unsigned* size) {
  using Function = int (*)(EVP_MD_CTX*, unsigned char*, unsigned*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "EVP_DigestFinal_ex"));
  ++digests;
  return real(context, out, size);
}

namespace estia::auth {
namespace {

class PasswordCost : public AuthenticationTest {
 protected:
  /// How many digests the attempt took; it must end like this.
  int digests_of(const std::string& user_pass, const std::string& ends) {
    const std::string header = basic(user_pass);
    const int before = digests;
    const std::string ended = outcome({}, header);
    const int taken = digests - before;
    EXPECT_EQ(ended, ends) << user_pass;
    return taken;
  }
  void only_codes() {
    alias.mode = ca::AliasMode::client;
    alias.authenticators = {Authenticator::code};
    alias.code_source = ca::CodeSource::basic;
    alias.username_field = "CN";
    snapshot.accounts.clear();
  }

  const std::string refused = "unauthenticated auth.wrong_password";
};

TEST_F(PasswordCost, AnAttemptAtAnAccountIsOneHash_T11) {
  EXPECT_EQ(digests_of("ra:right", "ra account est"), 1);
  EXPECT_EQ(digests_of("ra:wrong", refused), 1);
  EXPECT_EQ(digests_of("ra:", refused), 1);
  EXPECT_EQ(digests_of("nobody:right", refused), 1);
  EXPECT_EQ(digests_of("ra2:right", refused), 1) << "an account of another alias";
}

/// One to compare, and one by which a guess that is repeated is known again.
TEST_F(PasswordCost, EveryRefusalOfACodeIsTwoHashes_T11) {
  only_codes();
  EXPECT_EQ(digests_of("device-7:wrong", refused), 2);
  EXPECT_EQ(digests_of("device-8:the code", refused), 2) << "unknown";
  entities.entity.disabled = true;
  EXPECT_EQ(digests_of("device-7:the code", refused), 2) << "disabled";
  entities.entity.disabled = false;
  entities.has_code = false;
  EXPECT_EQ(digests_of("device-7:the code", refused), 2) << "without a code";
}

TEST_F(PasswordCost, ASpentCodeIsTwoHashesToo_T11) {
  only_codes();
  entities.code.uses_left = 0;
  const std::string address = "192.0.2.7";
  const std::optional<std::string> header = basic("device-7:the code");
  const int before = digests;
  const auto identity =
      authentication.authenticate(snapshot, alias, Operation::simpleenroll, {{}, header, address});
  EXPECT_TRUE(identity && identity->code_is_spent());
  EXPECT_EQ(authentication
                .spent_code(alias, *identity, address, Error(ErrorCode::conflict, "code.spent", ""))
                .id(),
            "auth.wrong_password");
  EXPECT_EQ(digests - before, 2);
}

/// The counter counts: each of several codes would be one.
TEST_F(PasswordCost, TheCounterSeesEveryHash) {
  const int before = digests;
  EXPECT_FALSE(verify_password(hash_generated_secret(Secret("a")), "b"));
  EXPECT_EQ(digests - before, 2) << "one to store it, one to compare";
}

}  // namespace
}  // namespace estia::auth
