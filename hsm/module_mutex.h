// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

namespace estia::hsm {

/// Lock functions for C_Initialize. SoftHSM takes one process-wide lock many times per signature
/// and holds it for a moment only: a lock that spins briefly before it sleeps gives half as much
/// again on two cores.
void set_module_mutexes(CK_C_INITIALIZE_ARGS& args) noexcept;

}  // namespace estia::hsm
