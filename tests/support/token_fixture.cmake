# SPDX-License-Identifier: Apache-2.0
if(TARGET estia::hsm)
  estia_program(token_maker SOURCES "${CMAKE_CURRENT_LIST_DIR}/token_maker.cpp"
    LIBRARIES estia::crypto_base estia_pkcs11_headers ${CMAKE_DL_LIBS})

  add_library(estia_test_token STATIC "${CMAKE_CURRENT_LIST_DIR}/token_fixture.cpp")
  target_compile_definitions(estia_test_token PRIVATE
    ESTIA_TOKEN_MAKER="$<TARGET_FILE:token_maker>"
    ESTIA_SOFTHSM_MULTIARCH="/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/softhsm/libsofthsm2.so")
  target_link_libraries(estia_test_token PUBLIC estia::hsm PRIVATE estia::warnings estia::hardening)
  add_dependencies(estia_test_token token_maker)
endif()
