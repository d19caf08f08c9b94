// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <string>
#include <vector>

#include "hsm/module.h"
#include "hsm/token_info.h"

namespace estia::hsm {

struct Slot {
  CK_SLOT_ID id = 0;  ///< valid in this process only: it changes when a token is initialised
  TokenInfo token;
  CK_ULONG max_sessions = CK_EFFECTIVELY_INFINITE;  ///< as the token says
};

/// Those with a token in them (CK_TRUE), or all. Throws Error{token}.
[[nodiscard]] std::vector<CK_SLOT_ID> slot_ids(const Module& module, CK_BBOOL with_token);

/// Every slot with a token in it that answers. Throws Error{token} if none does.
[[nodiscard]] std::vector<Slot> slots_with_token(const Module& module);

/// What the slot holds now. Throws Error{token}.
[[nodiscard]] Slot read_slot(const Module& module, CK_SLOT_ID id);

/// The one initialised token with that label and serial, unless empty. Throws Error{token,
/// "token.not_found"} for none, Error{config, "token.ambiguous"} for more than one.
[[nodiscard]] Slot find_slot(const Module& module, const std::string& label,
                             const std::string& serial);

}  // namespace estia::hsm
