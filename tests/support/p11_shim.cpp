// SPDX-License-Identifier: Apache-2.0
// A PKCS #11 module around another one (ESTIA_P11_REAL): counts, holds, fails and falsifies calls,
// as p11_shim.h says, and shares counts as p11_counters.h says. Exports no C_GetInterface, so that
// everybody uses the list below.
#include "tests/support/p11_shim.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hsm/faults/functions.h"
#include "tests/support/p11_counters.h"
#include "tests/support/p11_lies.h"

namespace {

using estia::test::P11Counters;
using estia::test::P11CountersFile;

constexpr std::chrono::seconds kMeetingLimit{10};

struct Entry {
  unsigned long calls = 0;
  unsigned long in_flight = 0;
  unsigned long most_in_flight = 0;
  unsigned long fail_with = CKR_OK;
  unsigned long skip = 0;   // calls that pass before the first failure
  unsigned long fail = 0;   // failures left
  bool after_real = false;  // the real call is made, its result is thrown away
  bool gate_closed = false;
};

struct Shim {
  std::mutex mutex;  // guards everything below
  std::condition_variable changed;
  std::map<std::string, Entry, std::less<>> entries;
  unsigned long session_limit = 0;
  unsigned long open_sessions = 0;
  estia::test::P11Lies lies;
};

Shim& shim() {
  static auto* const made = new Shim;  // threads of a test may outlive its static objects
  return *made;
}

CK_FUNCTION_LIST* real() {
  static CK_FUNCTION_LIST* const list = [] {
    const char* path = ::getenv("ESTIA_P11_REAL");
    void* library = path == nullptr ? nullptr : ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST* found = nullptr;
    if (library != nullptr) {
      const auto get =
          reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
      if (get == nullptr || get(&found) != CKR_OK) {
        found = nullptr;
      }
    }
    return found;
  }();
  return list;
}

/// nullptr: nobody asked for shared counts.
P11Counters* shared_counters() {
  // Never unmapped: threads may outlive static objects.
  static P11CountersFile* const counters = []() -> P11CountersFile* {
    const char* file = ::getenv(estia::test::kP11CountersFile);
    return file == nullptr ? nullptr : new P11CountersFile(file, P11CountersFile::Open::existing);
  }();
  return counters == nullptr ? nullptr : &**counters;
}

void count_inside(int difference) {
  if (P11Counters* const counters = shared_counters()) {
    counters->inside += static_cast<std::uint64_t>(difference);
  }
}

/// Primes that are never found, if the other process wants it so.
void hold_rsa_generation(const CK_MECHANISM* mechanism) {
  P11Counters* const counters = shared_counters();
  if (counters == nullptr || mechanism == nullptr ||
      mechanism->mechanism != CKM_RSA_PKCS_KEY_PAIR_GEN) {
    return;
  }
  ++counters->rsa_generations;
  while (counters->hold_rsa_generation) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  --counters->rsa_generations;
}

/// The other process's view of this call, and its order to wait for company. `entry` counts it
/// already; the lock is the shim's.
void share(std::string_view name, const Entry& entry, std::unique_lock<std::mutex>& lock) {
  P11Counters* const counters = shared_counters();
  const bool signs = name == "C_Sign";
  if (counters == nullptr || (!signs && name != "C_Login")) {
    return;
  }
  P11Counters::Function& function = signs ? counters->sign : counters->login;
  function.calls = entry.calls;
  function.most_in_flight = entry.most_in_flight;
  if (!signs || counters->sign_meeting == 0) {
    return;
  }
  if (entry.in_flight >= counters->sign_meeting) {
    counters->sign_meeting = 0;
    shim().changed.notify_all();
  } else if (!shim().changed.wait_for(lock, kMeetingLimit,
                                      [&] { return counters->sign_meeting == 0; })) {
    ++counters->missed_meetings;
  }
}

/// What a call is told before it starts.
struct Orders {
  bool fail = false;
  bool after_real = false;
  CK_RV rv = CKR_OK;
};

Orders enter(const char* name) {
  Shim& all = shim();
  std::unique_lock lock(all.mutex);
  Entry& entry = all.entries[name];
  ++entry.calls;
  entry.most_in_flight = std::max(entry.most_in_flight, ++entry.in_flight);
  all.changed.notify_all();
  count_inside(1);
  share(name, entry, lock);
  all.changed.wait(lock, [&] { return !entry.gate_closed; });
  if (entry.skip > 0) {
    --entry.skip;
    return {};
  }
  if (entry.fail == 0) {
    return {};
  }
  --entry.fail;
  return {true, entry.after_real, entry.fail_with};
}

void leave(const char* name) {
  Shim& all = shim();
  const std::scoped_lock lock(all.mutex);
  --all.entries[name].in_flight;
  count_inside(-1);
  all.changed.notify_all();
}

bool session_refused() {
  Shim& all = shim();
  const std::scoped_lock lock(all.mutex);
  if (all.session_limit != 0 && all.open_sessions >= all.session_limit) {
    return true;
  }
  ++all.open_sessions;
  return false;
}

void session_closed() {
  Shim& all = shim();
  const std::scoped_lock lock(all.mutex);
  --all.open_sessions;
}

template <auto Member>
struct Tag {};
template <auto A, auto B>
constexpr bool kSame = std::is_same_v<Tag<A>, Tag<B>>;  // == needs members of one type

template <auto Member, class Arguments>
void after_success(const Arguments& arguments) {
  if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_CloseSession>) {
    return session_closed();
  }
  Shim& all = shim();
  const std::scoped_lock lock(all.mutex);
  if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_Finalize>) {
    all.open_sessions = 0;
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_OpenSession>) {
    all.lies.last_session = *std::get<4>(arguments);
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_GetTokenInfo>) {
    all.lies.falsify(std::get<1>(arguments), all.session_limit);
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_GetAttributeValue>) {
    all.lies.falsify(std::get<2>(arguments), std::get<3>(arguments));
    all.lies.remember(std::get<2>(arguments), std::get<3>(arguments));
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_Sign>) {
    all.lies.falsify_signature(std::get<3>(arguments), std::get<4>(arguments));
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_WrapKey>) {
    all.lies.falsify_wrapped(std::get<4>(arguments), std::get<5>(arguments));
  }
}

/// True if the answer was made up.
template <auto Member, class Arguments>
bool in_place_of_real(const Arguments& arguments) {
  if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_GetAttributeValue>) {
    Shim& all = shim();
    const std::scoped_lock lock(all.mutex);
    return all.lies.repeated(std::get<2>(arguments), std::get<3>(arguments));
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_OpenSession>) {
    Shim& all = shim();
    const std::scoped_lock lock(all.mutex);
    return all.lies.repeated(std::get<4>(arguments));
  } else if constexpr (kSame<Member, &CK_FUNCTION_LIST::C_GenerateKeyPair>) {
    hold_rsa_generation(std::get<1>(arguments));
  }
  return false;
}

template <auto Member, class... Arguments>
CK_RV call_real(Arguments... arguments) {
  constexpr bool kOpens = kSame<Member, &CK_FUNCTION_LIST::C_OpenSession>;
  if (kOpens && session_refused()) {
    return CKR_SESSION_COUNT;
  }
  if (in_place_of_real<Member>(std::tuple(arguments...))) {
    return CKR_OK;
  }
  const CK_RV rv = (real()->*Member)(arguments...);
  if (rv == CKR_OK) {
    after_success<Member>(std::tuple(arguments...));
  } else if (kOpens) {
    session_closed();
  }
  return rv;
}

struct Hook {
  template <std::size_t Index, auto Member, class... Arguments>
  static CK_RV call(Arguments... arguments) {
    const char* const name = estia::hsm::faults::kFunctionNames[Index];
    const Orders orders = enter(name);
    CK_RV rv = orders.rv;
    if (!orders.fail || orders.after_real) {
      const CK_RV real_rv = call_real<Member>(arguments...);
      rv = orders.fail ? orders.rv : real_rv;
    }
    leave(name);
    return rv;
  }
};

/// Those that the test wants to be NULL: ESTIA_P11_WITHOUT="C_CopyObject C_GetInfo".
void leave_out(CK_FUNCTION_LIST& list) {
  const char* const names = ::getenv("ESTIA_P11_WITHOUT");
  std::istringstream without(names == nullptr ? "" : names);
  for (std::string name; without >> name;) {
#define X(function)          \
  if (name == #function) {   \
    list.function = nullptr; \
  }
    ESTIA_P11_FUNCTIONS(X)
#undef X
  }
}

CK_FUNCTION_LIST* list() {
  static CK_FUNCTION_LIST* const made = [] {
    auto* functions = new CK_FUNCTION_LIST(*real());
    estia::hsm::faults::interpose<Hook>(*functions);
    functions->C_GetFunctionList = C_GetFunctionList;
    leave_out(*functions);
    return functions;
  }();
  return made;
}

template <class Change>
void change(Change&& make_it) {
  Shim& all = shim();
  const std::scoped_lock lock(all.mutex);
  make_it(all);
  all.changed.notify_all();
}

}  // namespace

extern "C" {

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  if (real() == nullptr) {
    return CKR_GENERAL_ERROR;
  }
  *out = list();
  return CKR_OK;
}

unsigned long estia_shim_calls(const char* function) {
  unsigned long calls = 0;
  change([&](Shim& all) { calls = all.entries[function].calls; });
  return calls;
}

unsigned long estia_shim_most_in_flight(const char* function) {
  unsigned long most = 0;
  change([&](Shim& all) { most = all.entries[function].most_in_flight; });
  return most;
}

void estia_shim_fail(const char* function, unsigned long rv, unsigned long skip,
                     unsigned long count, int after_real) {
  change([&](Shim& all) {
    Entry& entry = all.entries[function];
    entry.fail_with = rv;
    entry.skip = skip;
    entry.fail = count;
    entry.after_real = after_real != 0;
  });
}

void estia_shim_gate(const char* function, int closed) {
  change([&](Shim& all) { all.entries[function].gate_closed = closed != 0; });
}

void estia_shim_wait_in_flight(const char* function, unsigned long count) {
  Shim& all = shim();
  std::unique_lock lock(all.mutex);
  const Entry& entry = all.entries[function];
  all.changed.wait(lock, [&] { return entry.in_flight >= count; });
}

void estia_shim_token_flags(unsigned long flags) {
  change([&](Shim& all) { all.lies.token_flags = flags; });
}

void estia_shim_session_limit(unsigned long limit, int told) {
  change([&](Shim& all) {
    all.session_limit = limit;
    all.lies.tell_session_limit = told != 0;
  });
}

void estia_shim_corrupt_signatures(int on) {
  change([&](Shim& all) { all.lies.corrupt_signatures = on != 0; });
}

void estia_shim_corrupt_wrapped(int on) {
  change([&](Shim& all) { all.lies.corrupt_wrapped = on != 0; });
}

void estia_shim_repeat_attributes(int on) {
  change([&](Shim& all) {
    all.lies.repeat_attributes = on != 0;
    all.lies.first_attributes.clear();
  });
}

void estia_shim_repeat_sessions(int on) {
  change([&](Shim& all) { all.lies.repeat_sessions = on != 0; });
}

void estia_shim_flip_attribute(unsigned long type) {
  change([&](Shim& all) { all.lies.flipped_attribute = type; });
}

}  // extern "C"
