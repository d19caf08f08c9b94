# SPDX-License-Identifier: Apache-2.0
if(TARGET estia::hsm)
  add_library(p11_shim MODULE "${CMAKE_CURRENT_LIST_DIR}/p11_shim.cpp")
  target_include_directories(p11_shim PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(p11_shim PRIVATE estia_pkcs11_headers Threads::Threads ${CMAKE_DL_LIBS}
    estia::warnings estia::hardening estia::sanitizers)

  add_library(estia_test_shim INTERFACE)
  target_compile_definitions(estia_test_shim INTERFACE ESTIA_P11_SHIM="$<TARGET_FILE:p11_shim>")
  target_link_libraries(estia_test_shim INTERFACE ${CMAKE_DL_LIBS})
  add_dependencies(estia_test_shim p11_shim)
endif()
