# SPDX-License-Identifier: Apache-2.0
find_package(GTest REQUIRED)
include(GoogleTest)

# estia_test(NAME SOURCES a.cpp ... LABELS labels... [LIBRARIES targets...] [TIMEOUT seconds] [ENVIRONMENT V=x ...] [WHOLE])
# One GoogleTest executable. Each test case becomes one ctest test, in a process of its own, unless WHOLE is given:
# then the executable is one ctest test (for suites of many tiny cases, where starting a process costs more than the case).
function(estia_test NAME)
  cmake_parse_arguments(ARG "WHOLE" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_SOURCES OR NOT ARG_LABELS OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "estia_test(${NAME}): SOURCES and LABELS are needed; not understood: '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${NAME} PRIVATE ${ARG_LIBRARIES} estia_test_paths GTest::gtest GTest::gtest_main
    estia::warnings estia::hardening estia::sanitizers)

  if(ARG_WHOLE)
    add_test(NAME ${NAME} COMMAND ${NAME})
    set_tests_properties(${NAME} PROPERTIES
      LABELS "${ARG_LABELS}" TIMEOUT "${ARG_TIMEOUT}" ENVIRONMENT "${ARG_ENVIRONMENT}")
    return()
  endif()
  gtest_discover_tests(${NAME} TEST_PREFIX "${NAME}." TEST_LIST ${NAME}_CASES DISCOVERY_TIMEOUT 60
    NO_PRETTY_VALUES PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  # gtest_discover_tests flattens lists given as properties, so those are set when ctest reads its tests.
  set(properties_file "${CMAKE_CURRENT_BINARY_DIR}/${NAME}_properties.cmake")
  file(CONFIGURE OUTPUT "${properties_file}" CONTENT [[
foreach(case IN LISTS @NAME@_CASES)
  set_tests_properties("${case}" PROPERTIES LABELS "@ARG_LABELS@" ENVIRONMENT "@ARG_ENVIRONMENT@")
endforeach()
]] @ONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${properties_file}")
endfunction()
