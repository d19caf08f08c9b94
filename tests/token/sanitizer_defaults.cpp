// SPDX-License-Identifier: Apache-2.0
// What AddressSanitizer is told in this program only; a plain build compiles nothing of it.
#if defined(__SANITIZE_ADDRESS__)

// SoftHSM and OpenSSL keep no frame pointers: only the slow unwinder sees whose a leak is.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0";
}

// The reason of each line stands in tests/support/lsan.supp. Nothing of ours is allocated below
// these frames but the locks that the module asks us for.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:^C_SignInit$\nleak:^C_GenerateKeyPair$\n";
}

#endif
