// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/order.h"

#include <charconv>
#include <functional>
#include <map>

#include "hsm/faults/return_codes.h"
#include "hsm/faults/words.h"

namespace estia::hsm::faults {
namespace {

constexpr std::uint64_t kLongestDelay = 24ULL * 60 * 60 * 1000;  // a day, in milliseconds

std::uint64_t number(std::string_view word, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stopped != end || value < least || value > most) {
    throw OrderError("not a number from " + std::to_string(least) + ": " + std::string(word));
  }
  return value;
}

std::uint64_t number(std::string_view word, std::uint64_t least = 0) {
  return number(word, least, ~std::uint64_t{0});
}

std::vector<unsigned char> hex(std::string_view word) {
  std::vector<unsigned char> bytes;
  bool good = !word.empty() && word.size() % 2 == 0;
  for (std::size_t i = 0; good && i < word.size(); i += 2) {
    unsigned char byte = 0;
    const auto [stopped, error] = std::from_chars(word.data() + i, word.data() + i + 2, byte, 16);
    good = error == std::errc() && stopped == word.data() + i + 2;
    bytes.push_back(byte);
  }
  if (!good) {
    throw OrderError("not an id in hexadecimal digits: " + std::string(word));
  }
  return bytes;
}

/// The words of an order after its verb, taken from the left.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}

  [[nodiscard]] bool empty() const { return next_ == words_.size(); }
  std::string take(const char* what) {
    if (empty()) {
      throw OrderError(std::string(what) + " is missing");
    }
    return words_[next_++];
  }
  FunctionIndex take_function() {
    const std::string name = take("a function");
    if (name == "*") {
      return kEveryFunction;
    }
    if (const auto found = find_function(name)) {
      return *found;
    }
    throw OrderError("PKCS #11 2.40 has no function " + name);
  }
  FunctionIndex take_function_or_every() { return empty() ? kEveryFunction : take_function(); }
  void finish() const {
    if (!empty()) {
      throw OrderError("not understood: " + words_[next_]);
    }
  }

 private:
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

When when(const std::string& value) {
  if (value == "before") {
    return When::before;
  }
  if (value == "after") {
    return When::after;
  }
  throw OrderError("neither before nor after: " + value);
}

/// One NAME=VALUE; false if rules of this kind have none of that name.
bool read_option(Rule& rule, const std::string& name, const std::string& value) {
  const bool signs = rule.kind == Kind::corrupt_signature || rule.kind == Kind::sign_with_other;
  if (name == "skip") {
    rule.pick.skip = number(value);
  } else if (name == "count") {
    rule.pick.count = value == "for-ever" ? std::nullopt : std::optional(number(value, 1));
  } else if (name == "every") {
    rule.pick.every = number(value, 1);
  } else if (name == "one-in") {
    rule.pick.one_in = number(value, 1);
  } else if (name == "when" && !signs) {
    rule.when = when(value);
  } else if (name == "id" && rule.kind == Kind::sign_with_other) {
    rule.other.id = hex(value);
  } else if (name == "label" && rule.kind == Kind::sign_with_other && !value.empty()) {
    rule.other.label = value;
  } else {
    return false;
  }
  return true;
}

Rule with_options(Rule rule, Words& words) {
  while (!words.empty()) {
    const std::string word = words.take("an option");
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos ||
        !read_option(rule, word.substr(0, equals), word.substr(equals + 1))) {
      throw OrderError("not understood: " + word);
    }
  }
  return rule;
}

/// Fails once unless told otherwise: a rule that is forgotten then does no more harm.
Rule read_fail(Words& words) {
  Rule rule{.kind = Kind::fail, .function = words.take_function()};
  const std::string code = words.take("a return code");
  const auto found = find_code(code);
  if (!found) {
    throw OrderError("neither a return code of PKCS #11 nor a number like 0x30: " + code);
  }
  rule.code = *found;
  rule.pick.count = 1;
  return with_options(std::move(rule), words);
}

Rule read_delay(Words& words) {
  Rule rule{.kind = Kind::delay, .function = words.take_function()};
  rule.delay =
      std::chrono::milliseconds(number(words.take("a number of milliseconds"), 0, kLongestDelay));
  return with_options(std::move(rule), words);
}

Rule read_hang(Words& words) {
  return with_options({.kind = Kind::hang, .function = words.take_function()}, words);
}

Rule read_corrupt_signature(Words& words) {
  return with_options({.kind = Kind::corrupt_signature, .function = function_index("C_Sign")},
                      words);
}

Rule read_sign_with_other(Words& words) {
  Rule rule = with_options(
      {.kind = Kind::sign_with_other, .function = function_index("C_SignInit")}, words);
  if (rule.other.id.empty() && rule.other.label.empty()) {
    throw OrderError("which key? id=HEX or label=TEXT is missing");
  }
  return rule;
}

SessionCap read_session_cap(Words& words) {
  SessionCap cap;
  const std::string limit = words.take("a number of sessions, or none,");
  if (limit == "none") {
    return cap;
  }
  cap.limit = number(limit);
  if (!words.empty()) {
    const std::string told = words.take("");
    if (told != "told") {
      throw OrderError("not understood: " + told);
    }
    cap.told = true;
  }
  return cap;
}

RealCall read_real_call(Words& words) {
  const std::string function = words.take("a function");
  if (function == "C_CloseAllSessions") {
    return RealCall::close_all_sessions;
  }
  if (function == "C_Logout") {
    return RealCall::logout;
  }
  if (function == "C_Finalize") {
    return RealCall::finalize;
  }
  throw OrderError("only C_CloseAllSessions, C_Logout and C_Finalize can be called, not " +
                   function);
}

Wait read_wait(Words& words) {
  Wait wait{.function = words.take_function()};
  if (wait.function == kEveryFunction) {
    throw OrderError("one function is waited for, not *");
  }
  wait.in_flight = number(words.take("a number of calls"), 1);
  return wait;
}

using Reader = std::function<Order(Words&)>;

const std::map<std::string, Reader, std::less<>>& readers() {
  static const auto* const made = new std::map<std::string, Reader, std::less<>>{
      {"fail", read_fail},
      {"delay", read_delay},
      {"hang", read_hang},
      {"release", [](Words& words) { return Release{words.take_function_or_every()}; }},
      {"corrupt-signature", read_corrupt_signature},
      {"sign-with-other", read_sign_with_other},
      {"session-cap", read_session_cap},
      {"hold", [](Words&) { return Hold{}; }},
      {"resume", [](Words&) { return Resume{}; }},
      {"real", read_real_call},
      {"count", [](Words& words) { return Count{words.take_function_or_every()}; }},
      {"wait", read_wait},
      {"clear", [](Words& words) { return Clear{words.take_function_or_every()}; }},
      {"status", [](Words&) { return Status{}; }},
  };
  return *made;  // never destroyed: threads of the module may outlive its static objects
}

}  // namespace

Order parse_order(std::string_view line) {
  std::vector<std::string> all = split_words(line);
  if (all.empty()) {
    throw OrderError("an order is missing");
  }
  const auto reader = readers().find(all.front());
  if (reader == readers().end()) {
    throw OrderError("there is no order " + all.front());
  }
  all.erase(all.begin());
  Words words(std::move(all));
  Order order = reader->second(words);
  words.finish();
  return order;
}

}  // namespace estia::hsm::faults
