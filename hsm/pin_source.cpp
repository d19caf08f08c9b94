// SPDX-License-Identifier: Apache-2.0
#include "hsm/pin_source.h"

#include "crypto/base/file.h"

namespace estia::hsm {

Secret PinSource::read() const {
  return read_secret_file(file);
}

}  // namespace estia::hsm
