# SPDX-License-Identifier: Apache-2.0
find_package(GTest REQUIRED)
include(GoogleTest)

# estia_test(NAME SOURCES a.cpp ... LIBRARIES targets... LABELS labels... [TIMEOUT seconds] [ENVIRONMENT V=x ...] [WHOLE])
# One GoogleTest executable. Each test case becomes one ctest test, in a process of its own, unless WHOLE is given:
# then the executable is one ctest test (for suites of many tiny cases, where starting a process costs more than the case).
function(estia_test NAME)
  cmake_parse_arguments(ARG "WHOLE" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_SOURCES OR NOT ARG_LABELS OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "estia_test(${NAME}): SOURCES and LABELS are required, '${ARG_UNPARSED_ARGUMENTS}' is not understood")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${NAME} PRIVATE
    ESTIA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ESTIA_BIN_DIR="${CMAKE_BINARY_DIR}/bin"
    ESTIA_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data")
  target_link_libraries(${NAME} PRIVATE ${ARG_LIBRARIES} GTest::gtest GTest::gtest_main
    estia::warnings estia::hardening estia::sanitizers)
  if(ARG_WHOLE)
    set(properties LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
    if(ARG_ENVIRONMENT)
      list(APPEND properties ENVIRONMENT "${ARG_ENVIRONMENT}")
    endif()
    add_test(NAME ${NAME} COMMAND ${NAME})
    set_property(TEST ${NAME} PROPERTY LABELS ${ARG_LABELS})
    set_property(TEST ${NAME} PROPERTY TIMEOUT ${ARG_TIMEOUT})
    set_property(TEST ${NAME} PROPERTY ENVIRONMENT ${ARG_ENVIRONMENT})
  else()
    # gtest_discover_tests flattens its PROPERTIES, so the semicolons of a list must survive one more expansion.
    string(REPLACE ";" "\\;" labels "${ARG_LABELS}")
    string(REPLACE ";" "\\;" environment "${ARG_ENVIRONMENT}")
    set(properties LABELS "${labels}" TIMEOUT ${ARG_TIMEOUT})
    if(environment)
      list(APPEND properties ENVIRONMENT "${environment}")
    endif()
    gtest_discover_tests(${NAME} TEST_PREFIX "${NAME}." DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
  endif()
endfunction()
