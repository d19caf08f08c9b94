// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hsm/pkcs11.h"

namespace estia::hsm {

/// Fills the mutex callbacks of C_Initialize with locks that spin briefly before they wait. SoftHSM takes one global lock for every buffer it
/// allocates: with a plain futex lock two cores sign slower than one.
void set_lock_callbacks(CK_C_INITIALIZE_ARGS& arguments) noexcept;

}  // namespace estia::hsm
