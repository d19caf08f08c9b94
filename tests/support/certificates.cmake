# SPDX-License-Identifier: Apache-2.0
if(TARGET estia::ca)
  add_library(estia_test_certificates STATIC "${CMAKE_CURRENT_LIST_DIR}/certificates.cpp")
  target_include_directories(estia_test_certificates PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(estia_test_certificates PUBLIC estia::ca PRIVATE estia::warnings estia::hardening)
endif()
