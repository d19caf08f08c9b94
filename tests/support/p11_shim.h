// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a test may ask of the shim module (p11_shim.cpp), found by dlsym in the library that hsm
// loaded; tests/support/shim.h does that. Functions are named as in PKCS #11 ("C_Sign"). Any
// thread.
extern "C" {

unsigned long estia_shim_calls(const char* function);
unsigned long estia_shim_most_in_flight(const char* function);

/// After `skip` more calls, `count` calls return `rv`; with `after_real` the real call is made
/// first.
void estia_shim_fail(const char* function, unsigned long rv, unsigned long skip,
                     unsigned long count, int after_real);

/// While closed, calls of the function wait before anything else happens.
void estia_shim_gate(const char* function, int closed);
/// Returns as soon as `count` calls of the function are going on at the same time.
void estia_shim_wait_in_flight(const char* function, unsigned long count);

/// C_OpenSession answers CKR_SESSION_COUNT beyond `limit` open sessions; `told`: the token's
/// information names the limit. 0: none.
void estia_shim_session_limit(unsigned long limit, int told);

/// What C_GetTokenInfo's flags have besides the real ones.
void estia_shim_token_flags(unsigned long flags);

void estia_shim_corrupt_signatures(int on);
/// C_WrapKey's output has its last bit inverted.
void estia_shim_corrupt_wrapped(int on);
/// From now on C_GetAttributeValue answers for every object what it answered first: one public key
/// in place of another.
void estia_shim_repeat_attributes(int on);
/// From now on C_OpenSession gives the session that it gave last once more.
void estia_shim_repeat_sessions(int on);
/// C_GetAttributeValue inverts the lowest bit of the first byte of this attribute. ~0: none.
void estia_shim_flip_attribute(unsigned long type);
}
