// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_trial.h"

#include <chrono>
#include <string>

#include "crypto/base/error.h"
#include "hsm/key_proof.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

api::ProvedKey prove(const ca::CertificationAuthority& authority, const ca::CaKeys& keys) {
  api::ProvedKey proved{.ca = authority.name};
  const auto begin = std::chrono::steady_clock::now();
  try {
    hsm::prove_key(keys.key_for(authority), authority.key_uri);
  } catch (const Error& error) {
    proved.id = error.id();
    proved.reason = error.what() + (error.detail().empty() ? "" : ": " + error.detail());
  }
  proved.took =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  ops::log(proved.id.empty() ? ops::Level::info : ops::Level::warning, "token.proved",
           {{"ca", proved.ca},
            {"id", proved.id.empty() ? "ok" : proved.id},
            {"reason", proved.reason},
            {"milliseconds", std::to_string(proved.took.count())}});
  return proved;
}

}  // namespace

std::vector<api::ProvedKey> TokenTrial::run(const ca::Snapshot& snapshot) {
  const std::unique_lock running(running_, std::try_to_lock);
  if (!running.owns_lock()) {
    throw Error(ErrorCode::busy, "token.probing", "the token is being probed already");
  }
  std::vector<api::ProvedKey> proved;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    proved.push_back(prove(*authority, keys_));
  }
  return proved;
}

}  // namespace estia::app
