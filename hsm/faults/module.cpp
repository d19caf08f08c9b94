// SPDX-License-Identifier: Apache-2.0
// The module that is put before another one: docs/fault-injection.md. It exports C_GetFunctionList
// and nothing else, so that everybody uses the list below; C_GetInterface would be a way around.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include "hsm/faults/altered_calls.h"
#include "hsm/faults/commands.h"
#include "hsm/faults/control_socket.h"
#include "hsm/faults/functions.h"
#include "hsm/faults/words.h"

namespace estia::hsm::faults {
namespace {

/// "": not set. Nothing is taken from the environment of a program with more rights than its
/// caller.
std::string environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? "" : value;
}

/// What "one-in" is chosen by: in each process something else, unless a test wants it again.
std::uint64_t seed() {
  const std::string given = environment("ESTIA_FAULTS_SEED");
  if (given.empty()) {
    return std::random_device{}();
  }
  std::uint64_t value = 0;
  const char* const end = given.data() + given.size();
  const auto [stopped, error] = std::from_chars(given.data(), end, value);
  if (error != std::errc() || stopped != end) {
    throw std::runtime_error("ESTIA_FAULTS_SEED is not a number: " + given);
  }
  return value;
}

const CK_FUNCTION_LIST& load_real(const std::string& path) {
  if (path.empty() || path.front() != '/') {
    throw std::runtime_error("ESTIA_FAULTS_MODULE must be the absolute path of a module");
  }
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    throw std::runtime_error(why == nullptr ? "cannot load " + path : why);
  }
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == &C_GetFunctionList) {
    throw std::runtime_error("ESTIA_FAULTS_MODULE names the module of the faults itself");
  }
  CK_FUNCTION_LIST* list = nullptr;
  if (get == nullptr || get(&list) != CKR_OK || list == nullptr) {
    throw std::runtime_error(path + " is not a PKCS #11 module");
  }
  return *list;
}

/// Everything of the process. Never destroyed: threads may be in it until the very end.
class Front {
 public:
  Front()
      : module_(environment("ESTIA_FAULTS_MODULE")),
        real_(load_real(module_)),
        list_(real_),
        injector_(seed()),
        altered_(real_, injector_, sessions_) {
    const std::string rules = environment("ESTIA_FAULTS_RULES");
    const std::string socket = environment("ESTIA_FAULTS_SOCKET");
    armed_ = !rules.empty() || !socket.empty();
    if (!rules.empty()) {
      read_rules(rules);
    }
    if (!socket.empty()) {
      listen(socket);
    }
    if (armed_) {
      std::cerr << "estia-p11-faults: for tests only: process " << ::getpid()
                << " may get faults in place of the answers of " << module_ << std::endl;
    }
  }
  ~Front() = delete;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  Front(Front&&) = delete;
  Front& operator=(Front&&) = delete;

  /// Not in a forked child: threads that it does not have may have held the locks.
  [[nodiscard]] bool injects() const { return armed_ && !in_child_; }
  void enter_child() noexcept {
    in_child_ = true;
    if (socket_ != nullptr) {
      socket_->leave_in_child();
    }
  }

  [[nodiscard]] const CK_FUNCTION_LIST& real() const { return real_; }
  [[nodiscard]] CK_FUNCTION_LIST& list() { return list_; }
  [[nodiscard]] Injector& injector() { return injector_; }
  [[nodiscard]] AlteredCalls& altered() { return altered_; }

 private:
  [[nodiscard]] Controlled controlled() { return {injector_, sessions_, real_, module_}; }

  void read_rules(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
      throw std::runtime_error("cannot read " + path);
    }
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const std::string answer =
          is_blank(line) ? "" : carry_out(controlled(), line, [] { return true; });
      if (answer.starts_with("error")) {
        throw std::runtime_error(path + ":" + std::to_string(number) + ": " +
                                 answer.substr(0, answer.find('\n')));
      }
    }
    if (file.bad()) {
      throw std::runtime_error("cannot read " + path);
    }
  }

  /// A missing quote is left to carry_out(), which names it.
  static bool is_blank(const std::string& line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    return first == std::string::npos || line[first] == '#';
  }

  void listen(const std::string& path) {
    try {
      socket_ = new ControlSocket(path, [this](std::string_view line, const Injector::Gone& gone) {
        return carry_out(controlled(), line, gone);
      });
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(path + ": " + error.what());
    }
  }

  const std::string module_;
  const CK_FUNCTION_LIST& real_;
  CK_FUNCTION_LIST list_;
  bool armed_ = false;
  std::atomic<bool> in_child_ = false;
  Injector injector_;
  Sessions sessions_;
  AlteredCalls altered_;
  ControlSocket* socket_ = nullptr;  // never deleted either
};

struct Hook;

/// nullptr, and the reason on stderr, if there is nothing to stand in front of.
Front* front() {
  static Front* const made = []() -> Front* {
    try {
      auto* const ready = new Front;
      interpose<Hook>(ready->list());
      return ready;
    } catch (const std::exception& error) {
      std::cerr << "estia-p11-faults: error: " << error.what() << std::endl;
      return nullptr;
    }
  }();
  return made;
}

template <std::size_t Index>
consteval bool is(std::string_view name) {
  return Index == function_index(name);
}

template <std::size_t Index, auto Member, class... Arguments>
CK_RV call_real(Front& all, Arguments... arguments) {
  if constexpr (is<Index>("C_GetFunctionList")) {
    (*arguments, ...) = &all.list();
    return CKR_OK;
  } else if constexpr (is<Index>("C_Finalize")) {
    return all.altered().finalize(arguments...);
  } else if constexpr (is<Index>("C_GetTokenInfo")) {
    return all.altered().get_token_info(arguments...);
  } else if constexpr (is<Index>("C_OpenSession")) {
    return all.altered().open_session(arguments...);
  } else if constexpr (is<Index>("C_CloseSession")) {
    return all.altered().close_session(arguments...);
  } else if constexpr (is<Index>("C_CloseAllSessions")) {
    return all.altered().close_all_sessions(arguments...);
  } else if constexpr (is<Index>("C_Logout")) {
    return all.altered().logout(arguments...);
  } else if constexpr (is<Index>("C_SignInit")) {
    return all.altered().sign_init(arguments...);
  } else if constexpr (is<Index>("C_Sign")) {
    return all.altered().sign(arguments...);
  } else if constexpr (is<Index>("C_SignFinal")) {
    return all.altered().sign_final(arguments...);
  } else {
    return (all.real().*Member)(arguments...);
  }
}

struct Hook {
  template <std::size_t Index, auto Member, class... Arguments>
  static CK_RV call(Arguments... arguments) {
    Front& all = *front();  // who has the list got it from there
    if (!all.injects()) {
      return forward<Index, Member>(all, arguments...);
    }
    Injector::Plan plan = all.injector().enter(Index);
    CK_RV rv = plan.code();
    if (!plan.fails(When::before)) {
      const CK_RV real_rv = call_real<Index, Member>(all, arguments...);
      if (!all.injects()) {
        return real_rv;  // the real call forked, and this is the child
      }
      all.injector().after_real(Index, plan);
      rv = plan.fails(When::after) ? plan.code() : real_rv;
    }
    all.injector().leave(Index);
    return rv;
  }

  template <std::size_t Index, auto Member, class... Arguments>
  static CK_RV forward(Front& all, Arguments... arguments) {
    if constexpr (is<Index>("C_GetFunctionList")) {
      return call_real<Index, Member>(all, arguments...);
    } else {
      return (all.real().*Member)(arguments...);
    }
  }
};

void in_child() {
  front()->enter_child();
}

}  // namespace
}  // namespace estia::hsm::faults

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  using estia::hsm::faults::front;
  if (list == nullptr) {
    return CKR_ARGUMENTS_BAD;
  }
  if (front() == nullptr) {
    return CKR_GENERAL_ERROR;
  }
  static const int registered = ::pthread_atfork(nullptr, nullptr, estia::hsm::faults::in_child);
  static_cast<void>(registered);
  return front()->list().C_GetFunctionList(list);
}
