// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/run.h"

#include <cctype>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/base/error.h"

namespace estia::admin {
namespace {

enum ExitStatus : int { done = 0, failed = 1, misused = 2 };

/// CLI11's own texts, in the form of ours: lower case, no full stop.
std::string in_our_form(std::string text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() > 1 && std::isupper(at(0)) != 0 && std::isupper(at(1)) == 0) {
    text[0] = static_cast<char>(std::tolower(at(0)));
  }
  while (text.ends_with('\n') || text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

void complain(const std::string& text) {
  std::cerr << "estia: error: " << text << "\n";
}

/// --help and --version come as exceptions too.
int tell(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error);
  }
  const std::vector<std::string> unknown = app.remaining(true);
  complain(unknown.empty() ? in_our_form(error.what())
                           : "'" + unknown.front() + "' is not understood here");
  std::cerr << "estia --help, or --help after a command, tells how it is used\n";
  return misused;
}

}  // namespace

int run(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    std::cout.flush();
    if (!std::cout) {
      complain("the result cannot be written to standard output");
      return failed;
    }
    return done;
  } catch (const CLI::ParseError& error) {
    return tell(app, error);
  } catch (const Error& error) {
    // The id is what docs/messages.md lists.
    complain((error.detail().empty() ? error.what()
                                     : std::string(error.what()) + ": " + error.detail()) +
             " [" + error.id() + "]");
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return failed;
}

}  // namespace estia::admin
