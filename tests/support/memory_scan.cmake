# SPDX-License-Identifier: Apache-2.0
add_library(estia_test_memory_scan STATIC "${CMAKE_CURRENT_LIST_DIR}/memory_scan.cpp")
target_link_libraries(estia_test_memory_scan PUBLIC estia::crypto_base
  PRIVATE OpenSSL::Crypto estia::warnings estia::hardening)
