// SPDX-License-Identifier: Apache-2.0
// The tool estia-p11-faults: gives orders to the module of that name in a running program.
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "hsm/faults/client.h"
#include "hsm/faults/words.h"

namespace {

constexpr const char* kUsage = R"(usage: estia-p11-faults [--socket PATH] [ORDER]
Gives an order to the module estia-p11-faults.so in a running program, and prints its answer. Without
ORDER, orders are read from standard input, one a line, up to the first that is refused.
PATH is that of ESTIA_FAULTS_SOCKET unless it is given. Exit status: 0 done, 1 refused, 2 misused.

  fail FUNCTION CODE [OPTION...]    the next call answers CODE (CKR_DEVICE_ERROR or 0x30)
  delay FUNCTION MILLISECONDS [OPTION...]
  hang FUNCTION [OPTION...]         calls do not return until release
  release [FUNCTION]
  corrupt-signature [OPTION...]     one bit of a signature is wrong
  sign-with-other id=HEX|label=TEXT [OPTION...]
  session-cap NUMBER [told] | none  CKR_SESSION_COUNT for more sessions than that
  hold, resume                      calls wait; hold answers when the running ones have ended
  real FUNCTION                     C_CloseAllSessions, C_Logout or C_Finalize, only while held
  wait FUNCTION NUMBER              answers when so many calls are in flight
  count [FUNCTION], status, clear [FUNCTION]

OPTION: skip=N, count=N|for-ever, every=N, one-in=N; for fail, delay and hang also when=before|after.
FUNCTION is a name like C_Sign, or * for every function.

Example: estia-p11-faults fail C_Sign CKR_DEVICE_ERROR skip=2 count=3
)";

struct Command {
  std::string socket;
  std::string order;  ///< empty: from standard input
};

/// Words as the shell has split them become one line. A single one is a whole order already.
std::string joined(const std::vector<std::string>& words) {
  if (words.size() == 1) {
    return words.front();
  }
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + estia::hsm::faults::quoted_word(word);
  }
  return line;
}

/// Throws std::invalid_argument.
Command read_command(std::vector<std::string> words) {
  Command command;
  if (!words.empty() && words.front() == "--socket") {
    if (words.size() < 2) {
      throw std::invalid_argument("--socket needs a path");
    }
    command.socket = words[1];
    words.erase(words.begin(), words.begin() + 2);
  } else if (const char* variable = std::getenv("ESTIA_FAULTS_SOCKET")) {
    command.socket = variable;
  }
  for (const std::string& word : words) {
    if (word.starts_with("--")) {
      throw std::invalid_argument(word + " is not an option");
    }
    if (word.find_first_of("\"\n") != std::string::npos && words.size() > 1) {
      throw std::invalid_argument("a word of an order has no double quotes and no line ends");
    }
  }
  if (command.socket.empty()) {
    throw std::invalid_argument("which socket? --socket and ESTIA_FAULTS_SOCKET are missing");
  }
  command.order = joined(words);
  return command;
}

bool give(estia::hsm::faults::Client& client, const std::string& order) {
  const estia::hsm::faults::Answer answer = client.ask(order);
  if (!answer.ok) {
    std::cerr << "estia-p11-faults: error: " << answer.text << "\n";
    return false;
  }
  std::cout << answer.text << std::flush;
  return true;
}

bool give_all(estia::hsm::faults::Client& client) {
  for (std::string line; std::getline(std::cin, line);) {
    if (!estia::hsm::faults::split_words(line).empty() && !give(client, line)) {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words.front() == "--help" || words.front() == "-h")) {
    std::cout << kUsage;
    return 0;
  }
  try {
    const Command command = read_command(words);
    estia::hsm::faults::Client client(command.socket);
    return (command.order.empty() ? give_all(client) : give(client, command.order)) ? 0 : 1;
  } catch (const std::invalid_argument& misuse) {
    std::cerr << "estia-p11-faults: error: " << misuse.what() << "\n" << kUsage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "estia-p11-faults: error: " << error.what() << "\n";
    return 1;
  }
}
