// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/commands.h"

#include <unistd.h>

#include <array>
#include <sstream>

#include "hsm/faults/return_codes.h"

namespace estia::hsm::faults {
namespace {

constexpr const char* kOk = "ok\n";

std::string error(const std::string& what) {
  return "error: " + what + "\n";
}

class Visitor {
 public:
  Visitor(const Controlled& controlled, const Injector::Gone& gone)
      : injector_(controlled.injector),
        sessions_(controlled.sessions),
        real_(controlled.real),
        module_(controlled.module),
        gone_(gone) {}

  std::string operator()(const Rule& rule) const {
    injector_.set(rule);
    return kOk;
  }
  std::string operator()(const SessionCap& cap) const {
    sessions_.set_cap(cap);
    return kOk;
  }
  std::string operator()(const Release& release) const {
    injector_.release(release.function);
    return kOk;
  }
  std::string operator()(const Clear& clear) const {
    injector_.clear(clear.function);
    if (clear.function == kEveryFunction) {
      injector_.resume();
    }
    if (clear.function == kEveryFunction || clear.function == function_index("C_OpenSession")) {
      sessions_.set_cap({});
    }
    return kOk;
  }
  std::string operator()(const Hold&) const {
    return injector_.hold(gone_) ? kOk : error("resumed before the running calls had ended");
  }
  std::string operator()(const Resume&) const {
    injector_.resume();
    return kOk;
  }
  std::string operator()(RealCall call) const {
    std::string answer;
    if (!injector_.while_held([&] { answer = call_real(call); })) {
      return error("refused: hold first, and wait for its answer");
    }
    return answer;
  }
  std::string operator()(const Count& count) const {
    std::string lines;
    for (FunctionIndex function = 0; function < kFunctionNames.size(); ++function) {
      const Injector::Counts counts = injector_.counts(function);
      const bool wanted =
          count.function == kEveryFunction ? counts.calls > 0 : count.function == function;
      lines += wanted ? counts_line(function, counts) : "";
    }
    return lines + kOk;
  }
  std::string operator()(const Wait& wait) const {
    return injector_.wait_in_flight(wait.function, wait.in_flight, gone_) ? kOk : error("given up");
  }
  std::string operator()(const Status&) const {
    std::ostringstream out;
    out << "module " << module_ << "\nprocess " << ::getpid() << "\ncalls "
        << (injector_.held() ? "held" : "not held") << "\nsessions " << sessions_.open() << "\n";
    if (const SessionCap cap = sessions_.cap(); cap.limit) {
      out << "rule session-cap " << *cap.limit << (cap.told ? " told" : "") << "\n";
    }
    for (const Rule& rule : injector_.rules()) {
      out << "rule " << text(rule) << "\n";
    }
    return out.str() + kOk;
  }

 private:
  static std::string counts_line(FunctionIndex function, const Injector::Counts& counts) {
    std::ostringstream out;
    out << kFunctionNames.at(function) << " calls=" << counts.calls
        << " in-flight=" << counts.in_flight << " most-in-flight=" << counts.most_in_flight
        << " faults=" << counts.faults << "\n";
    return out.str();
  }

  /// No call is in the module now, so what is known of the sessions holds.
  [[nodiscard]] std::string call_real(RealCall call) const {
    if (call == RealCall::finalize) {
      return finalize();
    }
    const auto sessions = sessions_.one_of_each_slot();
    if (sessions.empty()) {
      return error("no session is open");
    }
    for (const auto& [slot, session] : sessions) {
      const bool logout = call == RealCall::logout;
      const CK_RV rv = logout ? real_.C_Logout(session) : real_.C_CloseAllSessions(slot);
      if (rv != CKR_OK) {
        return error("slot " + std::to_string(slot) + ": " + code_name(rv));
      }
      if (!logout) {
        sessions_.closed_all(slot);
      }
    }
    return kOk;
  }

  [[nodiscard]] std::string finalize() const {
    const CK_RV rv = real_.C_Finalize(nullptr);
    if (rv != CKR_OK) {
      return error(code_name(rv));
    }
    sessions_.forget_all();
    return kOk;
  }

  Injector& injector_;
  Sessions& sessions_;
  const CK_FUNCTION_LIST& real_;
  const std::string& module_;
  const Injector::Gone& gone_;
};

}  // namespace

std::string carry_out(const Controlled& controlled, std::string_view line,
                      const Injector::Gone& gone) {
  try {
    return std::visit(Visitor(controlled, gone), parse_order(line));
  } catch (const OrderError& wrong) {
    return error(wrong.what());
  }
}

}  // namespace estia::hsm::faults
