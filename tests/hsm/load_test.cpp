// SPDX-License-Identifier: Apache-2.0
// Many threads, few sessions, and sessions that end under us.
#include <p11-kit/pkcs11.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "hsm/ckr.h"
#include "tests/hsm/suite.h"

namespace estia::hsm {
namespace {

constexpr unsigned kThreads = 16;
constexpr unsigned kEach = 4;

class Load : public Suite {
 protected:
  struct Outcome {
    unsigned good = 0;
    std::string first_failure;
  };

  /// 64 signatures from 16 threads, each over a text of its own.
  [[nodiscard]] static Outcome sign_from_every_thread(const crypto::PrivateKey& key) {
    std::atomic<unsigned> good{0};
    std::mutex mutex;  // guards failure
    std::string failure;
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < kThreads; ++number) {
      threads.emplace_back([&, number] {
        for (unsigned i = 0; i < kEach; ++i) {
          try {
            const Bytes text{static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(i)};
            const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
            good += key.public_key().verify(text, key.sign(text), algorithm) ? 1U : 0U;
          } catch (const Error& error) {
            const std::scoped_lock lock(mutex);
            failure = failure.empty() ? error.id() + ": " + error.detail() : failure;
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return {good, failure};
  }
};

TEST_P(Load, SixteenThreadsSign) {
  const crypto::PrivateKey key = make(usual());
  const Outcome outcome = sign_from_every_thread(key);
  EXPECT_EQ(outcome.good, kThreads * kEach) << outcome.first_failure;
  EXPECT_EQ(token().probe().sessions_in_use, 0U);
}

/// The limit is the operator's.
TEST_P(Load, SessionsStayWithinWhatIsConfigured) {
  TokenConfig few = config();
  few.max_sessions = 2;
  few.session_wait = std::chrono::seconds(60);
  static_cast<void>(make(usual()));
  close_token();  // it has a session, which may be the only one
  const auto limited = Token::open(few);
  const crypto::PrivateKey key = told([&] { return limited->key(uri(label(usual()))); });
  const Outcome outcome = sign_from_every_thread(key);
  EXPECT_EQ(outcome.good, kThreads * kEach) << outcome.first_failure;
  EXPECT_LE(limited->probe().sessions_open, 2U);
  if (module().shim() != nullptr) {
    EXPECT_LE(module().shim()->most_in_flight("C_Sign"), 2U);
  }
}

/// The limit is the token's. Five are two for us, two for pkcs11-provider, and one that it opens in
/// a slot of another token (softokn has two).
TEST_P(Load, SessionsStayWithinWhatTheTokenAllows) {
  if (module().shim() == nullptr) {
    return skip("only a module of ours can be made to allow few sessions");
  }
  make_pair(usual(), label(usual()), Bytes{1}, false);
  module().shim()->limit_sessions(5, true);
  TokenConfig patient = config();
  patient.session_wait = std::chrono::seconds(60);
  const auto limited = Token::open(patient);
  const crypto::PrivateKey key = told([&] { return limited->key(uri(label(usual()))); });
  const Outcome outcome = sign_from_every_thread(key);
  EXPECT_EQ(outcome.good, kThreads * kEach) << outcome.first_failure;
  module().shim()->limit_sessions(0, false);
}

TEST_P(Load, KeysOutliveTheirSessions) {
  need("close-sessions", [&] {
    const crypto::PrivateKey key = make(usual());
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(signs(key));
      raw([](Attachment& attached, CK_SESSION_HANDLE) {
        check(attached.module()->C_CloseAllSessions(attached.slot().id), "C_CloseAllSessions");
      });
      EXPECT_TRUE(signs(key)) << "after the sessions were closed for the time " << i + 1;
    }
    EXPECT_TRUE(signs(token().key(uri(label(usual())))));
  });
}

/// A library that finalised the module when it goes would take everybody's sessions along.
TEST_P(Load, OneUserOfTheModuleGoesWithoutTheOthers) {
  need("two-sessions", [&] {
    const crypto::PrivateKey key = make(usual());
    {
      const auto another = Token::open(config());
      EXPECT_TRUE(signs(another->key(uri(label(usual())))));
    }
    EXPECT_TRUE(signs(key));
    if (module().shim() != nullptr) {
      EXPECT_EQ(module().shim()->calls("C_Finalize"), 0U);
    }
  });
}

/// The module is initialised again, and everything that was in it has other handles then.
TEST_P(Load, KeysOutliveTheirModule) {
  if (module().shim() == nullptr) {
    return skip("C_Finalize behind the back of a module of somebody else proves nothing about it");
  }
  const crypto::PrivateKey key = make(usual());
  for (int i = 0; i < 2; ++i) {
    raw([](Attachment& attached, CK_SESSION_HANDLE) {
      check(attached.module()->C_Finalize(nullptr), "C_Finalize");
    });
    EXPECT_TRUE(signs(key)) << "after the module was finalised for the time " << i + 1;
    EXPECT_TRUE(signs(key));
  }
  EXPECT_GE(token().probe().restarts, 1U);
}

/// One failed call does not end a key.
TEST_P(Load, AFailedCallIsMadeAgain) {
  if (!module().plays_faults()) {
    return skip("faults come from a module of ours, or from estia-p11-faults");
  }
  const crypto::PrivateKey key = make(usual());
  for (const CK_RV rv : {CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID}) {
    module().fail("C_SignInit", rv);
    EXPECT_TRUE(signs(key)) << ckr_name(rv);
    EXPECT_TRUE(signs(key)) << ckr_name(rv);
  }
  if (module().shim() != nullptr) {
    EXPECT_EQ(module().shim()->calls("C_Logout"), module().config().init_args.empty() ? 0U : 1U);
  }
}

/// The session in which it failed still has its operation: nobody may get that session again.
TEST_P(Load, ASignatureThatFailedIsNotTheLast) {
  if (!module().plays_faults()) {
    return skip("faults come from a module of ours, or from estia-p11-faults");
  }
  const crypto::PrivateKey key = make(usual());
  module().fail("C_Sign", CKR_DEVICE_ERROR);
  const std::string refused = test::refusal([&] { static_cast<void>(key.sign(Bytes{1})); });
  EXPECT_EQ(refused, native() ? "token token.failed" : "none");
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(signs(key));
  }
}

ESTIA_EVERY_CELL(Load);

}  // namespace
}  // namespace estia::hsm
