// SPDX-License-Identifier: Apache-2.0
// A token behind `p11-kit server`: what a network HSM looks like when it goes away.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "crypto/base/file.h"
#include "hsm/module.h"
#include "hsm/slots.h"
#include "tests/e2e/support/child.h"
#include "tests/token/heap_in_use.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class Remote : public TokenTest {
 protected:
  Remote()
      : socket_(dir_.folder / "p11"),
        server_({.arguments = {"p11-kit", "server", "--foreground", "--name", socket_.string(),
                               "--provider", dir_.module.string(), "pkcs11:"},
                 .environment = {dir_.environment()},
                 .out = dir_.folder / "server.out",
                 .err = dir_.folder / "server.err",
                 .own_group = true}) {
    wait_until_it_listens();
    ::setenv("P11_KIT_SERVER_ADDRESS", ("unix:path=" + socket_.string()).c_str(), 1);
  }

  [[nodiscard]] bool connects() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
  }

  void wait_until_it_listens() {
    while (!connects()) {
      if (server_.wait(std::chrono::milliseconds(10))) {
        throw std::runtime_error("p11-kit server ended");
      }
    }
  }

  [[nodiscard]] std::shared_ptr<Token> open_remote() const {
    TokenConfig remote = dir_.config();
    remote.module = ESTIA_P11_KIT_CLIENT;
    return Token::open(remote);
  }

  /// The server and its children, one per connection, which would outlive it.
  void kill_server() {
    server_.signal_group(SIGKILL);
    ASSERT_TRUE(server_.wait(std::chrono::seconds(60)));
  }

  std::filesystem::path socket_;
  e2e::Child server_;
};

TEST_F(Remote, KeysWorkUntilTheServerIsGoneAndThenFailInOrder) {
  const auto token = open_remote();
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  const Bytes message = {1, 2, 3};
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  EXPECT_TRUE(key.public_key().verify(message, key.sign(message), algorithm));
  EXPECT_TRUE(token->probe().present);

  kill_server();

  for (int i = 0; i < 3; ++i) {  // the process lives, and every attempt is answered
    const std::string got = refusal([&] { static_cast<void>(key.sign(message)); });
    EXPECT_TRUE(got.starts_with("token token.")) << got;
  }
  const TokenStatus status = token->probe();
  EXPECT_FALSE(status.present);
  EXPECT_FALSE(status.logged_in);
  EXPECT_EQ(status.sessions_in_use, 0U);
  EXPECT_TRUE(refusal([&] { static_cast<void>(token->uri_of("ca")); }).starts_with("token token."));
}

TEST_F(Remote, ServerThatIsGoneBeforeTheStartIsAnError) {
  kill_server();
  EXPECT_NE(refusal([&] { static_cast<void>(open_remote()); }), "none");
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
/// Found in review: pkcs11-provider has a login of its own there, and a PIN file that was changed
/// to a wrong one was tried by it, and by us after it.
TEST_F(Remote, APinThatIsRefusedToPkcs11ProviderIsNoted) {
  static_cast<void>(open_remote()->generate(spec("P-256"), "ca"));
  TokenConfig remote = dir_.config();
  remote.module = ESTIA_P11_KIT_CLIENT;
  remote.signing = Signing::pkcs11_provider;
  remote.pin_marker = dir_.folder / "pin-refused";
  const auto token = Token::open(remote);
  replace_file(remote.pin.file, "wrong-pin", FileMode::secret);
  const auto use = [&] {
    return refusal([&] {
      const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
      static_cast<void>(key.sign(Bytes{1, 2, 3}));
    });
  };
  EXPECT_TRUE(use().starts_with("token token.")) << use();
  EXPECT_TRUE(std::filesystem::exists(remote.pin_marker));
  EXPECT_EQ(token->probe().state, TokenState::pin_refused) << "found in review: all seemed well";
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(use(), "none");
  }
  for (const TokenInfo& info : list_tokens(dir_.module)) {
    EXPECT_FALSE(info.user_pin_final_try || info.user_pin_locked);
  }
}

class RemoteLongPin : public Remote, public ::testing::WithParamInterface<std::size_t> {
 protected:
  void change_pin(const std::string& pin) const {
    const auto module = Module::load(ESTIA_P11_KIT_CLIENT, {});
    const Module::Use use(*module, module->generation());
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    ASSERT_EQ(
        (*module)->C_OpenSession(find_slot(*module, dir_.label, {}).id,
                                 CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
        CKR_OK);
    std::string before(read_secret_file(dir_.pin_file).text());
    std::string after = pin;
    ASSERT_EQ(
        (*module)->C_SetPIN(session, reinterpret_cast<CK_UTF8CHAR*>(before.data()), before.size(),
                            reinterpret_cast<CK_UTF8CHAR*>(after.data()), after.size()),
        CKR_OK);
    ASSERT_EQ((*module)->C_CloseSession(session), CKR_OK);
    replace_file(dir_.pin_file, pin, FileMode::secret);
  }
};

/// Found in review: what pkcs11-provider cuts came out as CKR_GENERAL_ERROR. Whatever the length,
/// the token sees the PIN or nothing.
TEST_P(RemoteLongPin, IsToldWholeOrNotAtAll) {
  static_cast<void>(open_remote()->generate(spec("P-256"), "ca"));
  change_pin(std::string(GetParam(), '7'));
  TokenConfig remote = dir_.config();
  remote.module = ESTIA_P11_KIT_CLIENT;
  remote.signing = Signing::pkcs11_provider;
  remote.pin_marker = dir_.folder / "pin-refused";
  const auto token = Token::open(remote);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(refusal([&] {
                const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
                static_cast<void>(key.sign(Bytes{1, 2, 3}));
              }),
              GetParam() <= 33 ? "none" : "token token.pin_too_long");
  }
  EXPECT_FALSE(std::filesystem::exists(remote.pin_marker));
  EXPECT_FALSE(std::filesystem::exists(remote.pin_marker.string() + ".trial"));
  for (const TokenInfo& info : list_tokens(dir_.module)) {
    EXPECT_FALSE(info.user_pin_count_low) << "a wrong PIN was tried";
  }
}
INSTANTIATE_TEST_SUITE_P(Lengths, RemoteLongPin, ::testing::Values(32, 33, 34, 40));

/// Calls to a module that is not initialised, or whose server is gone: none hangs.
TEST_F(Remote, ARestartLeavesNothingOfPkcs11ProvidersPast) {
  static_cast<void>(open_remote()->generate(spec("P-256"), "ca"));
  TokenConfig remote = dir_.config();
  remote.module = ESTIA_P11_KIT_CLIENT;
  remote.signing = Signing::pkcs11_provider;
  remote.session_wait = remote.recovery_wait = std::chrono::seconds(60);
  const auto module = Module::load(remote.module, {});
  const auto restart = [&] {
    return module->restart(module->generation(), std::chrono::seconds(60));
  };
  const auto token = Token::open(remote);
  const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
  const auto sign = [&] { return refusal([&] { static_cast<void>(key.sign(Bytes{1, 2, 3})); }); };
  ASSERT_TRUE(restart());
  ASSERT_EQ(sign(), "none");
  const std::size_t before = heap_in_use();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(restart());
    ASSERT_EQ(sign(), "none");
  }
  EXPECT_LT(heap_in_use(), before + 4 * kHalfAContext);
  kill_server();
  static_cast<void>(refusal([&] { static_cast<void>(restart()); }));
  EXPECT_LT(heap_in_use() + kHalfAContext, before);
  EXPECT_NE(sign(), "none");
}
#endif

}  // namespace
}  // namespace estia::hsm
