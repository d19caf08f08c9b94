// SPDX-License-Identifier: Apache-2.0
#include "bench/signing_tokens.h"

#include <stdlib.h>

#include <stdexcept>

#include "hsm/key_store.h"
#include "hsm/with_session.h"
#include "tests/support/paths.h"

namespace estia::bench {
namespace {

constexpr const char* kFew = "few";
constexpr const char* kMany = "many";

void set_variable(const char* name, const std::string& value) {
  if (::setenv(name, value.c_str(), 1) != 0) {
    throw std::runtime_error("setenv failed");
  }
}

}  // namespace

SigningTokens::SigningTokens() : dir_({kFew, kMany}) {
  dir_.use();
  set_variable("ESTIA_FAULTS_MODULE", dir_.module);
  set_variable("ESTIA_FAULTS_SOCKET", orders());
}

hsm::TokenConfig SigningTokens::many() const {
  hsm::TokenConfig config = few();
  config.label = kMany;
  return config;
}

hsm::TokenConfig SigningTokens::delayed() const {
  hsm::TokenConfig config = few();
  config.module = test::binary_directory() / "estia-p11-faults.so";
  return config;
}

void fill(const OpenToken& open, std::size_t objects) {
  const auto spec = crypto::KeySpec::parse("P-256");
  hsm::Attachment& attached = open.bare.attached();
  hsm::with_session(attached, hsm::SessionKind::read_write, [&](CK_SESSION_HANDLE session) {
    for (std::size_t pair = 1; pair < objects / 2; ++pair) {
      static_cast<void>(
          hsm::generate_pair(attached.module(), session, spec, "filling " + std::to_string(pair)));
    }
  });
}

std::string FaultOrders::order(const std::string& line) {
  const hsm::faults::Answer answer = client_.ask(line);
  if (!answer.ok) {
    throw std::runtime_error(line + ": " + answer.text);
  }
  return answer.text;
}

double FaultOrders::calls() {
  const std::string counts = order("count");
  constexpr std::string_view kCalls = " calls=";
  double calls = 0;
  for (std::size_t at = counts.find(kCalls); at != std::string::npos;
       at = counts.find(kCalls, at + 1)) {
    calls += std::stod(counts.substr(at + kCalls.size()));
  }
  return calls;
}

}  // namespace estia::bench
