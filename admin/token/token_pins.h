// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/token/libp11_token.h"
#include "crypto/base/secret.h"

namespace estia::admin {

// PINs of a token, through libp11. Each makes one attempt with a PIN that exists, since each
// further one could lock the token. The conditions of Libp11Token hold.
//
// All throw what Libp11Token and its fail() throw. Those that change throw Error{config,
// "token.pin"} where the token does not take such a PIN, and Error{token, "token.pin_unknown"}
// where nobody knows whether it has the new PIN; with any other error it has the old one.

/// The security officer gives the user a PIN (C_InitPIN), whatever he had.
void set_user_pin(const TokenPlace& place, const Secret& so_pin, const Secret& user_pin);

/// Whoever's PIN it is changes it (C_SetPIN).
void change_pin(const TokenPlace& place, PinOwner owner, const Secret& old_pin,
                const Secret& new_pin);

/// One login, to find out whether this is the user's PIN.
void try_user_pin(const TokenPlace& place, const Secret& pin);

}  // namespace estia::admin
