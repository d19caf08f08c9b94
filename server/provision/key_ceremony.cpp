// SPDX-License-Identifier: Apache-2.0
#include "server/provision/key_ceremony.h"

namespace estia::provision {

KeysInTheMaking::~KeysInTheMaking() {
  for (auto label = labels_.rbegin(); label != labels_.rend(); ++label) {
    ceremony_.destroy(*label);
  }
}

crypto::PrivateKey KeysInTheMaking::make(const crypto::KeySpec& spec, const std::string& label) {
  crypto::PrivateKey key = ceremony_.make(spec, label);
  labels_.push_back(label);  // only what we made: a label that was taken before is somebody else's
  return key;
}

}  // namespace estia::provision
