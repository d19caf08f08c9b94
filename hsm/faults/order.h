// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hsm/faults/functions.h"

namespace estia::hsm::faults {

/// The place of a function in kFunctionNames, or kEveryFunction ("*").
using FunctionIndex = std::size_t;
inline constexpr FunctionIndex kEveryFunction = kFunctionNames.size();

/// Before or after the real call.
enum class When { before, after };

enum class Kind { fail, delay, hang, corrupt_signature, sign_with_other };

/// Which of the calls of a function a rule meets: none of the first `skip`, then every `every`-th,
/// of those one in `one_in` by chance, until it has met `count`.
struct Pick {
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> count;  ///< nullopt: for ever
  std::uint64_t every = 1;
  std::uint64_t one_in = 1;
  std::uint64_t passed = 0;  ///< calls since the skipped ones
};

/// A private key of the token.
struct KeyName {
  std::vector<unsigned char> id;  ///< CKA_ID; empty: not asked for
  std::string label;              ///< CKA_LABEL; empty: not asked for
  bool operator==(const KeyName&) const = default;
};

/// A fault. There is one of a kind for each function; a new one replaces it.
struct Rule {
  Kind kind = Kind::fail;
  FunctionIndex function = kEveryFunction;
  Pick pick{};
  When when = When::before;            ///< fail, delay, hang
  CK_RV code = CKR_OK;                 ///< fail
  std::chrono::milliseconds delay{0};  ///< delay
  KeyName other{};                     ///< sign_with_other
};

/// The order that makes this rule.
[[nodiscard]] std::string text(const Rule& rule);
/// "C_Sign", or "*".
[[nodiscard]] std::string function_name(FunctionIndex function);

struct SessionCap {
  std::optional<std::uint64_t> limit;  ///< of one slot; nullopt: none
  bool told = false;                   ///< C_GetTokenInfo names it
};
struct Release {
  FunctionIndex function = kEveryFunction;
};
struct Clear {
  FunctionIndex function = kEveryFunction;
};
struct Hold {};
struct Resume {};
enum class RealCall { close_all_sessions, logout, finalize };
struct Count {
  FunctionIndex function = kEveryFunction;
};
struct Wait {
  FunctionIndex function = kEveryFunction;
  std::uint64_t in_flight = 0;
};
struct Status {};

using Order =
    std::variant<Rule, SessionCap, Release, Clear, Hold, Resume, RealCall, Count, Wait, Status>;

/// what() says which word is wrong, for the answer.
class OrderError final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads one line, as docs/fault-injection.md says. Throws OrderError.
[[nodiscard]] Order parse_order(std::string_view line);

}  // namespace estia::hsm::faults
