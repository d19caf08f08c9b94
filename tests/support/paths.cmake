# SPDX-License-Identifier: Apache-2.0
add_library(estia_test_paths STATIC "${CMAKE_CURRENT_LIST_DIR}/paths.cpp")
target_include_directories(estia_test_paths PUBLIC "${PROJECT_SOURCE_DIR}")
target_compile_definitions(estia_test_paths PRIVATE
  ESTIA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ESTIA_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
target_link_libraries(estia_test_paths PRIVATE estia::warnings estia::hardening estia::sanitizers)
