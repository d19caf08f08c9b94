# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, hardening and sanitizers as interface targets: nothing here leaks into a user's own flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(ESTIA_CCACHE ccache)
if(ESTIA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths are taken relative to the tree, so that a second clone on the machine finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${ESTIA_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
endif()

add_library(estia_warnings INTERFACE)
add_library(estia::warnings ALIAS estia_warnings)
target_compile_options(estia_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wformat=2
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum
  $<$<BOOL:${ESTIA_WERROR}>:-Werror>)

if(ESTIA_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC's flow analysis misreads instrumented code, <regex> among it; the plain builds keep these warnings.
  target_compile_options(estia_warnings INTERFACE -Wno-maybe-uninitialized -Wno-null-dereference)
endif()

add_library(estia_hardening INTERFACE)
add_library(estia::hardening ALIAS estia_hardening)
target_compile_options(estia_hardening INTERFACE -fstack-protector-strong -fstack-clash-protection)
target_compile_definitions(estia_hardening INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(estia_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(estia_hardening INTERFACE -fcf-protection=full)
endif()
if(NOT ESTIA_SANITIZE)
  # _FORTIFY_SOURCE needs optimisation, and hides overruns from AddressSanitizer.
  # Both as options: definitions come first on the command line, where -U would take them back.
  target_compile_options(estia_hardening INTERFACE
    "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
endif()

add_library(estia_sanitizers INTERFACE)
add_library(estia::sanitizers ALIAS estia_sanitizers)
if(ESTIA_SANITIZE)
  target_compile_options(estia_sanitizers INTERFACE
    -fsanitize=${ESTIA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(estia_sanitizers INTERFACE -fsanitize=${ESTIA_SANITIZE})
endif()
