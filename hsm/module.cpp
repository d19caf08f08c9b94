// SPDX-License-Identifier: Apache-2.0
#include "hsm/module.h"

#include <dlfcn.h>
#include <openssl/err.h>

#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/module_mutex.h"
#include "hsm/module_report.h"

namespace estia::hsm {
namespace {

struct Registry {
  /// Of one file; nobody sees it half made.
  struct Place {
    std::mutex mutex;  // held while it loads: another module's users do not wait for one that hangs
    std::shared_ptr<Module> module;
  };
  std::mutex mutex;  // guards places
  std::map<std::filesystem::path, Place> places;
};

Registry& registry() {
  static auto* const made = new Registry;  // never destroyed: see the class comment
  return *made;
}

/// NSS softokn reads one pointer more than the standard's structure has.
struct InitializeArgs {
  CK_C_INITIALIZE_ARGS standard{};
  void* beyond = nullptr;
};

FunctionList load_functions(const std::filesystem::path& path) {
  // Never closed again: threads of the module may still run in it.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    throw Error(ErrorCode::config, "token.module_unloadable",
                "cannot load the PKCS #11 module " + path.string(), why == nullptr ? "" : why);
  }
  const auto get_list =
      reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get_list == nullptr && ::dlsym(library, "C_GetInterface") != nullptr) {
    throw Error(ErrorCode::config, "token.module_invalid",
                path.string() + " has C_GetInterface alone, and Estia calls C_GetFunctionList");
  }
  if (get_list == nullptr || get_list(&functions) != CKR_OK || functions == nullptr) {
    throw Error(ErrorCode::config, "token.module_invalid",
                path.string() + " is not a PKCS #11 module");
  }
  return {*functions, path};
}

}  // namespace

std::vector<std::string> functions_left_out(const std::filesystem::path& path,
                                            std::span<const std::string_view> wanted) {
  const FunctionList functions = load_functions(path);
  std::vector<std::string> absent;
  for (const std::string_view function : wanted) {
    if (!functions.has(function)) {
      absent.emplace_back(function);
    }
  }
  return absent;
}

std::shared_ptr<Module> Module::load(const std::filesystem::path& path,
                                     const std::string& init_args) {
  if (!path.is_absolute()) {  // P11-2.4-b: a bare name would be searched for in the library path
    throw Error(ErrorCode::config, "token.module_path",
                "the path of the PKCS #11 module must be absolute: " + path.string());
  }
  std::error_code ignored;
  std::filesystem::path real = std::filesystem::canonical(path, ignored);
  if (ignored) {
    throw Error(ErrorCode::config, "token.module_unloadable",
                "cannot load the PKCS #11 module " + path.string(), ignored.message());
  }
  Registry& all = registry();
  std::unique_lock finding(all.mutex);
  Registry::Place& place = all.places[real];
  finding.unlock();
  const std::scoped_lock lock(place.mutex);
  if (place.module) {
    if (place.module->init_args_ != init_args) {
      throw Error(ErrorCode::config, "token.module_in_use",
                  "one process cannot use " + path.string() + " with two sets of arguments");
    }
    return place.module;
  }
  place.module.reset(new Module(real, init_args));
  return place.module;
}

Module::Module(const std::filesystem::path& path, std::string init_args)
    : init_args_(std::move(init_args)), functions_(load_functions(path)) {
  initialize();
}

void Module::initialize() {
  const ErrorQueueGuard queue;
  InitializeArgs args;
  set_module_mutexes(args.standard);
  args.standard.flags = CKF_OS_LOCKING_OK;
  args.standard.pReserved = init_args_.empty() ? nullptr : init_args_.data();
  CK_RV rv = functions_.get()->C_Initialize(&args);
  if (rv == CKR_CANT_LOCK) {
    InitializeArgs plain;
    plain.standard.flags = CKF_OS_LOCKING_OK;  // 0 would switch locking off
    plain.standard.pReserved = args.standard.pReserved;
    rv = functions_.get()->C_Initialize(&plain);
  }
  if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    check(rv, "C_Initialize");
  }
}

/// Counted before the look: a restart closes first and counts then, so one of the two sees the
/// other.
std::optional<std::size_t> Module::enter(Generation generation) const noexcept {
  const std::size_t phase = phase_.load();
  uses_[phase].fetch_add(1);
  if (!closed_.load() && generation_.load() == generation) {
    return phase;
  }
  leave(phase);
  return std::nullopt;
}

Module::Use::Use(const Module& module, Generation generation)
    : module_(module), phase_([&] {
        if (const auto phase = module.enter(generation)) {
          return *phase;
        }
        throw token_error(CKR_CRYPTOKI_NOT_INITIALIZED, "the module was restarted");
      }()) {}

Module::Use::~Use() {
  module_.leave(phase_);
}

namespace {

template <class Done>
bool wait_for(std::chrono::milliseconds wait, Done&& done) {
  constexpr std::chrono::milliseconds kLook{1};
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace

bool Module::wait_until_idle(std::chrono::milliseconds wait) const {
  return wait_for(wait, [&] { return uses_[0].load() + uses_[1].load() == 0; });
}

/// Those that begin meanwhile are counted apart, as those were that began after the last look: who
/// was out before that is waited for first.
bool Module::calls_come_back(std::chrono::milliseconds wait) const {
  const std::scoped_lock lock(restarting_);
  const std::size_t phase = phase_.load();
  if (!wait_for(wait, [&] { return uses_[1 - phase].load() == 0; })) {
    return false;
  }
  phase_.store(1 - phase);
  return wait_for(wait, [&] { return uses_[phase].load() == 0; });
}

bool Module::restart(Generation seen, std::chrono::milliseconds wait) {
  const std::scoped_lock lock(restarting_);
  if (generation_.load() != seen && !closed_.load()) {
    return true;
  }
  const bool was_closed = closed_.exchange(true);
  if (!wait_until_idle(wait)) {
    closed_.store(was_closed);
    return false;
  }
  const ErrorQueueGuard queue;
  static_cast<void>(functions_.get()->C_Finalize(nullptr));  // of one that lost itself: an error
  end_generation();
  initialize();
  closed_.store(false);
  return true;
}

void Module::end_generation() {
  generation_.fetch_add(1);
  Endings ended;
  {
    const std::scoped_lock lock(ending_);
    ended.swap(endings_);
  }
  for (const auto& ending : ended) {
    ending();
  }
}

Module::Endings::iterator Module::at_end(std::function<void()> ending) const {
  const std::scoped_lock lock(ending_);
  return endings_.insert(endings_.end(), std::move(ending));
}

void Module::not_at_end(Endings::iterator ending) const {
  Endings ended;  // goes without the lock
  const std::scoped_lock lock(ending_);
  ended.splice(ended.end(), endings_, ending);
}

ErrorQueueGuard::ErrorQueueGuard() noexcept : marked_(::ERR_peek_error() != 0) {
  if (marked_) {
    ::ERR_set_mark();  // needs an entry to stand on
  }
}

ErrorQueueGuard::~ErrorQueueGuard() {
  if (marked_) {
    ::ERR_pop_to_mark();
  } else {
    ::ERR_clear_error();
  }
}

}  // namespace estia::hsm
