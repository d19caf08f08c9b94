// SPDX-License-Identifier: Apache-2.0
// The module in its process: what it leaves alone, what it refuses to start with, and its tool.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>

#include "tests/e2e/support/child.h"
#include "tests/token/fault_module_test_base.h"

namespace estia::hsm {
namespace {

using e2e::Finished;
using test::refusal;

class FaultProcess : public FaultModuleTest {
 protected:
  [[nodiscard]] Finished tool(std::vector<std::string> words) const {
    words.insert(words.begin(), ESTIA_FAULT_TOOL);
    return e2e::run(words, dir_.folder);
  }
};

TEST_F(FaultProcess, WithoutRulesEverythingIsAsWithoutIt) {
  const auto token = open_faulty();
  for (const char* kind : {"P-256", "RSA-2048"}) {
    EXPECT_TRUE(signs(token->generate(spec(kind), kind)));
  }
  EXPECT_EQ(token->attributes(token->uri_of("P-256")).spec, spec("P-256"));
  EXPECT_NE(order("status").find("module " + dir_.module.string()), std::string::npos);
}

TEST_F(FaultProcess, WithoutASocketItOnlyForwards) {
  ASSERT_EQ(::unsetenv("ESTIA_FAULTS_SOCKET"), 0);
  testing::internal::CaptureStderr();
  const auto token = open_faulty();
  EXPECT_TRUE(signs(token->generate(spec("P-256"), "ca")));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(FaultProcess, SaysThatItIsThere) {
  testing::internal::CaptureStderr();
  static_cast<void>(p11());
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("for tests only"), std::string::npos) << said;
  EXPECT_NE(said.find(dir_.module.string()), std::string::npos) << said;
}

TEST_F(FaultProcess, ASecondProcessWithTheSameSocketDoesNotStart) {
  static_cast<void>(p11());
  const Finished second = e2e::run({"pkcs11-tool", "--module", module(), "-L"}, dir_.folder);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_NE(second.err.find("another process listens on it"), std::string::npos) << second.err;
#endif
  EXPECT_NE(second.code, 0);
  EXPECT_NE(order("status").find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(FaultProcess, PkcsElevenToolSeesNoDifference) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "pkcs11-tool has no sanitizer, so it cannot load a module that has one";
#else
  const std::string pin = read_file(dir_.pin_file);
  ASSERT_EQ(::setenv("FAULTS_PIN", pin.substr(0, pin.find('\n')).c_str(), 1), 0);
  for (const char* action : {"--test", "-O", "-M"}) {
    const auto run = [&](const std::string& of) {
      return e2e::run({"pkcs11-tool", "--module", of, "--token-label", dir_.label, "--login",
                       "--pin", "env:FAULTS_PIN", action},
                      dir_.folder);
    };
    const Finished through = run(module());
    const Finished directly = run(dir_.module);
    EXPECT_EQ(directly.code, 0) << directly.err;
    EXPECT_EQ(through.code, 0) << through.err;
    EXPECT_EQ(through.out, directly.out);
  }
#endif
}

TEST_F(FaultProcess, OffersNoWayAroundItsList) {
  void* library = ::dlopen(module().c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr);
  EXPECT_NE(::dlsym(library, "C_GetFunctionList"), nullptr);
  for (const char* name : {"C_GetInterface", "C_GetInterfaceList", "C_Initialize"}) {
    EXPECT_EQ(::dlsym(library, name), nullptr) << name;
  }
  CK_FUNCTION_LIST* again = nullptr;
  EXPECT_EQ(p11().C_GetFunctionList(&again), CKR_OK);
  EXPECT_EQ(again, &p11());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  EXPECT_EQ(get(nullptr), CKR_ARGUMENTS_BAD);
}

TEST_F(FaultProcess, StartsWithNothingButAModule) {
  set("ESTIA_FAULTS_MODULE", "libsofthsm2.so");
  EXPECT_EQ(refusal([&] { static_cast<void>(open_faulty()); }), "config token.module_invalid");
}

TEST_F(FaultProcess, DoesNotStandInFrontOfItself) {
  set("ESTIA_FAULTS_MODULE", module());
  EXPECT_EQ(load().first, CKR_GENERAL_ERROR);
}

TEST_F(FaultProcess, DoesNotStartWithoutTheSocketItWasToldToMake) {
  ASSERT_EQ(::chmod(dir_.folder.c_str(), 0777), 0);
  EXPECT_EQ(load().first, CKR_GENERAL_ERROR);
}

TEST_F(FaultProcess, AForkedChildIsLeftAlone) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang * when=before");
  auto hung = std::async(std::launch::async, [&] { return random(session); });
  order("wait C_GenerateRandom 1");
  const pid_t child = ::fork();
  if (child == 0) {
    CK_FUNCTION_LIST* list = nullptr;
    ::_exit(p11().C_GetFunctionList(&list) == CKR_OK && p11().C_GetInfo(nullptr) != CKR_OK ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);  // ctest's limit ends this if it hangs
  EXPECT_EQ(status, 0);
  order("release");
  EXPECT_EQ(hung.get(), CKR_OK);
}

TEST_F(FaultProcess, SignalsAreTheProgramsOwn) {
  static_cast<void>(p11());
  static_cast<void>(order("status"));
  static std::atomic<pthread_t> handled_by{};
  std::signal(SIGUSR1, [](int) { handled_by = ::pthread_self(); });
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &usr1, nullptr), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);  // pending for the process: no thread of ours takes it
  static_cast<void>(order("status"));
  EXPECT_EQ(handled_by, pthread_t{});
  ASSERT_EQ(::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr), 0);
  EXPECT_EQ(handled_by, ::pthread_self());
}

TEST_F(FaultProcess, TheToolGivesOrdersAndSaysHowTheyWent) {
  const CK_SESSION_HANDLE session = open_session();
  EXPECT_EQ(tool({"fail", "C_GenerateRandom", "CKR_DEVICE_ERROR"}).code, 0);
  EXPECT_EQ(random(session), CKR_DEVICE_ERROR);
  EXPECT_EQ(tool({"fail C_GenerateRandom CKR_DEVICE_REMOVED"}).code, 0) << "as one word";
  EXPECT_EQ(random(session), CKR_DEVICE_REMOVED);
  EXPECT_EQ(tool({"sign-with-other", "label=issuing ca"}).code, 0);
  const Finished status = tool({"--socket", socket_, "status"});
  EXPECT_EQ(status.code, 0);
  EXPECT_NE(status.out.find("rule sign-with-other \"label=issuing ca\" count=for-ever\n"),
            std::string::npos)
      << status.out;
  const Finished refused = tool({"fail", "C_Sing", "0x30"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err, "estia-p11-faults: error: PKCS #11 2.40 has no function C_Sing\n");
}

TEST_F(FaultProcess, TheToolReadsOrdersFromStandardInput) {
  const CK_SESSION_HANDLE session = open_session();
  const std::filesystem::path in = dir_.folder / "orders";
  write_new_file(in, "# two\n\nfail C_GenerateRandom 0x30\nexplode\nclear\n", FileMode::readable);
  e2e::Child child({.arguments = {ESTIA_FAULT_TOOL},
                    .out = dir_.folder / "out",
                    .err = dir_.folder / "err",
                    .in = in});
  EXPECT_EQ(child.wait(std::chrono::minutes(1)), 1);
  EXPECT_EQ(random(session), CKR_DEVICE_ERROR) << "it stops at the order that was refused";
}

TEST_F(FaultProcess, TheToolIsMisusedWithoutASocketOrWithUnknownOptions) {
  EXPECT_EQ(tool({"--sockets", "x"}).code, 2);
  EXPECT_EQ(tool({"--socket"}).code, 2);
  EXPECT_EQ(tool({"--socket", dir_.folder / "nobody", "status"}).code, 1);
  EXPECT_EQ(tool({"--help"}).code, 0);
  ASSERT_EQ(::unsetenv("ESTIA_FAULTS_SOCKET"), 0);
  EXPECT_EQ(tool({"status"}).code, 2);
}

}  // namespace
}  // namespace estia::hsm
