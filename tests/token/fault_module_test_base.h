// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/file.h"
#include "hsm/faults/client.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {

/// A token behind the shipped module that injects faults. The first use of the module loads it, and
/// with it the rules; orders go through its socket, as they do from outside.
class FaultModuleTest : public TokenTest {
 protected:
  FaultModuleTest() {
    set("ESTIA_FAULTS_MODULE", dir_.module);
    set("ESTIA_FAULTS_SOCKET", socket_);
  }

  static void set(const char* name, const std::string& value) {
    ASSERT_EQ(::setenv(name, value.c_str(), 1), 0);
  }
  static std::filesystem::path module() { return ESTIA_FAULT_MODULE; }

  /// Orders that hold from the start.
  void start_with(const std::string& rules) const {
    const std::filesystem::path file = dir_.folder / "rules";
    write_new_file(file, rules, FileMode::readable);
    set("ESTIA_FAULTS_RULES", file);
  }

  [[nodiscard]] TokenConfig config() const {
    TokenConfig through_module = dir_.config();
    through_module.module = module();
    return through_module;
  }
  [[nodiscard]] std::shared_ptr<Token> open_faulty() const { return Token::open(config()); }

  /// What C_GetFunctionList of the module answers.
  [[nodiscard]] static std::pair<CK_RV, CK_FUNCTION_LIST*> load() {
    void* library = ::dlopen(module().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw std::runtime_error(::dlerror());
    }
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* list = nullptr;
    const CK_RV rv = get(&list);
    return {rv, list};
  }
  [[nodiscard]] static CK_FUNCTION_LIST& p11() {
    static CK_FUNCTION_LIST* const list = load().second;
    return *list;
  }

  /// The module, initialised, and a session in the token, not logged in.
  [[nodiscard]] CK_SESSION_HANDLE open_session() const {
    CK_C_INITIALIZE_ARGS args{};
    args.flags = CKF_OS_LOCKING_OK;  // without it SoftHSM takes no locks, and tests have threads
    const CK_RV rv = p11().C_Initialize(&args);
    EXPECT_TRUE(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT_EQ(p11().C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                  &session),
              CKR_OK);
    return session;
  }
  [[nodiscard]] static CK_SLOT_ID slot() {
    std::array<CK_SLOT_ID, 8> slots{};
    CK_ULONG count = slots.size();
    EXPECT_EQ(p11().C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    return slots[0];  // SoftHSM lists tokens before the slot that is free
  }
  [[nodiscard]] static CK_RV random(CK_SESSION_HANDLE session) {
    std::array<unsigned char, 8> bytes{};
    return p11().C_GenerateRandom(session, bytes.data(), bytes.size());
  }
  /// Makes a public data object of the session.
  static CK_RV create(CK_SESSION_HANDLE session, std::string label) {
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_BBOOL no = CK_FALSE;
    std::array<CK_ATTRIBUTE, 4> object = {{{CKA_CLASS, &data, sizeof data},
                                           {CKA_TOKEN, &no, sizeof no},
                                           {CKA_PRIVATE, &no, sizeof no},
                                           {CKA_LABEL, label.data(), label.size()}}};
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    return p11().C_CreateObject(session, object.data(), object.size(), &made);
  }
  [[nodiscard]] static bool exists(CK_SESSION_HANDLE session, std::string label) {
    CK_ATTRIBUTE wanted{CKA_LABEL, label.data(), label.size()};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ULONG found = 0;
    EXPECT_EQ(p11().C_FindObjectsInit(session, &wanted, 1), CKR_OK);
    EXPECT_EQ(p11().C_FindObjects(session, &object, 1, &found), CKR_OK);
    EXPECT_EQ(p11().C_FindObjectsFinal(session), CKR_OK);
    return found == 1;
  }

  /// On a connection of its own, so that any thread may ask.
  [[nodiscard]] faults::Answer ask(const std::string& line) const {
    return faults::Client(socket_).ask(line);
  }
  /// The answer's text; the order must be carried out.
  std::string order(const std::string& line) const {
    const faults::Answer answer = ask(line);
    EXPECT_TRUE(answer.ok) << line << ": " << answer.text;
    return answer.text;
  }
  [[nodiscard]] std::string refusal_of(const std::string& line) const {
    const faults::Answer answer = ask(line);
    return answer.ok ? "not refused" : answer.text;
  }
  [[nodiscard]] bool counts(const std::string& function, const std::string& what) const {
    const std::string line = order("count " + function);
    return line.find(' ' + what + ' ') != std::string::npos ||
           line.find(' ' + what + '\n') != std::string::npos;
  }

  /// True if the key signs what `verifier` (its own public half unless given) verifies.
  [[nodiscard]] static bool signs(const crypto::PrivateKey& key,
                                  const crypto::PrivateKey* verifier = nullptr) {
    const Bytes message = {1, 2, 3};
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    return (verifier == nullptr ? key : *verifier)
        .public_key()
        .verify(message, key.sign(message), algorithm);
  }

  const std::filesystem::path socket_ = dir_.folder / "faults.sock";
};

}  // namespace estia::hsm
