# SPDX-License-Identifier: Apache-2.0

# Adds each folder, in the order given, that has a CMakeLists.txt.
function(estia_add_modules)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# estia_module(NAME SOURCES a.cpp ... [PUBLIC targets...] [PRIVATE targets...])
# One static library estia_NAME with the alias estia::NAME. PUBLIC lists only what its headers expose.
function(estia_module NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(estia_${NAME} STATIC ${ARG_SOURCES})
  add_library(estia::${NAME} ALIAS estia_${NAME})
  target_include_directories(estia_${NAME} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(estia_${NAME}
    PUBLIC ${ARG_PUBLIC} estia::sanitizers
    PRIVATE ${ARG_PRIVATE} estia::warnings estia::hardening)
endfunction()

# estia_program(NAME SOURCES a.cpp ... LIBRARIES targets...)
function(estia_program NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${ARG_LIBRARIES} estia::warnings estia::hardening estia::sanitizers)
endfunction()
