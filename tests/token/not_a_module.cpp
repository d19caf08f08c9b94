// SPDX-License-Identifier: Apache-2.0
// A shared library without C_GetFunctionList, but with what PKCS #11 3.0 has beside it.
extern "C" unsigned long C_GetInterface() {
  return 0x54;  // CKR_FUNCTION_NOT_SUPPORTED
}
