# SPDX-License-Identifier: Apache-2.0
add_library(no_wiping MODULE "${CMAKE_CURRENT_LIST_DIR}/no_wiping.cpp")
target_link_libraries(no_wiping PRIVATE estia::warnings estia::hardening)
add_library(estia_test_no_wiping INTERFACE)
target_compile_definitions(estia_test_no_wiping INTERFACE ESTIA_NO_WIPING="$<TARGET_FILE:no_wiping>")
add_dependencies(estia_test_no_wiping no_wiping)
