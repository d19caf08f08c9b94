// SPDX-License-Identifier: Apache-2.0
// What AddressSanitizer is told in this program only; a plain build compiles nothing of it.
#if defined(__SANITIZE_ADDRESS__)

// SoftHSM and OpenSSL keep no frame pointers: only the slow unwinder sees whose a leak is.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0";
}

// SoftHSM 2.6.1 never frees the curve's name that it parses in C_SignInit for an Ed25519 key (37
// bytes each time). Nothing of ours is allocated below its frames but the locks it asks us for.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libsofthsm2.so\n";
}

#endif
