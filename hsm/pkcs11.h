// SPDX-License-Identifier: Apache-2.0
#pragma once

// The PKCS#11 types, for hsm's own files only: no header that others include shows them.
#include <p11-kit/pkcs11.h>

#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif
#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif
