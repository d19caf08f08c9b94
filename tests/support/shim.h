// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/support/p11_shim.h"

namespace estia::test {

/// Puts the shim module in front of `real` for this process. Make it before the first hsm call and
/// open path() in place of the real module. ESTIA_P11_WITHOUT in the environment names functions
/// that are NULL in its list, with blanks between.
class Shim final {
 public:
  explicit Shim(const std::filesystem::path& real) {
    if (::setenv("ESTIA_P11_REAL", real.c_str(), 1) != 0) {
      throw std::runtime_error("setenv failed");
    }
    library_ = ::dlopen(path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
      throw std::runtime_error(std::string("the shim: ") + ::dlerror());
    }
  }

  [[nodiscard]] static std::filesystem::path path() { return ESTIA_P11_SHIM; }

  [[nodiscard]] unsigned long calls(const char* function) const {
    return find<decltype(estia_shim_calls)>("estia_shim_calls")(function);
  }
  [[nodiscard]] unsigned long most_in_flight(const char* function) const {
    return find<decltype(estia_shim_most_in_flight)>("estia_shim_most_in_flight")(function);
  }
  void fail(const char* function, unsigned long rv, unsigned long count = 1,
            unsigned long skip = 0) const {
    find<decltype(estia_shim_fail)>("estia_shim_fail")(function, rv, skip, count, 0);
  }
  void fail_after(const char* function, unsigned long rv, unsigned long count = 1) const {
    find<decltype(estia_shim_fail)>("estia_shim_fail")(function, rv, 0, count, 1);
  }
  void close_gate(const char* function) const { gate(function, 1); }
  void open_gate(const char* function) const { gate(function, 0); }
  void wait_in_flight(const char* function, unsigned long count) const {
    find<decltype(estia_shim_wait_in_flight)>("estia_shim_wait_in_flight")(function, count);
  }
  void limit_sessions(unsigned long limit, bool told) const {
    find<decltype(estia_shim_session_limit)>("estia_shim_session_limit")(limit, told ? 1 : 0);
  }
  void add_token_flags(unsigned long flags) const {
    find<decltype(estia_shim_token_flags)>("estia_shim_token_flags")(flags);
  }
  void corrupt_signatures(bool on) const {
    find<decltype(estia_shim_corrupt_signatures)>("estia_shim_corrupt_signatures")(on ? 1 : 0);
  }
  void corrupt_wrapped(bool on) const {
    find<decltype(estia_shim_corrupt_wrapped)>("estia_shim_corrupt_wrapped")(on ? 1 : 0);
  }
  void repeat_attributes(bool on) const {
    find<decltype(estia_shim_repeat_attributes)>("estia_shim_repeat_attributes")(on ? 1 : 0);
  }
  void repeat_sessions(bool on) const {
    find<decltype(estia_shim_repeat_sessions)>("estia_shim_repeat_sessions")(on ? 1 : 0);
  }
  void flip_attribute(unsigned long type) const {
    find<decltype(estia_shim_flip_attribute)>("estia_shim_flip_attribute")(type);
  }

 private:
  void gate(const char* function, int closed) const {
    find<decltype(estia_shim_gate)>("estia_shim_gate")(function, closed);
  }
  template <class Function>
  [[nodiscard]] Function* find(const char* name) const {
    void* found = ::dlsym(library_, name);
    if (found == nullptr) {
      throw std::runtime_error(std::string("the shim lacks ") + name);
    }
    return reinterpret_cast<Function*>(found);
  }

  void* library_ = nullptr;  // stays loaded: hsm uses it until the process ends
};

}  // namespace estia::test
