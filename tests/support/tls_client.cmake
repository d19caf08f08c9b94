# SPDX-License-Identifier: Apache-2.0
if(TARGET estia::http)
  find_package(Poco REQUIRED COMPONENTS Foundation)
  add_library(estia_test_tls_client STATIC "${CMAKE_CURRENT_LIST_DIR}/tls_client.cpp")
  target_include_directories(estia_test_tls_client PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(estia_test_tls_client
    PUBLIC estia::http OpenSSL::SSL PRIVATE estia::warnings estia::hardening)
endif()
