# Helpers shared by every folder's CMakeLists.txt.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# Modules sit beside the program, where it looks for them first.
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE)
  # Objects do not depend on the build folder's name. The sloppiness is what
  # precompiled headers ask for.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION
                                            VERSION_LESS 13)
  # False alarms at -O2 and above on std::string + (GCC bug 105651) and on
  # what tl::expected holds.
  add_compile_options(
    -Wno-restrict
    "$<$<CONFIG:Release>:-Wno-maybe-uninitialized;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds>")
endif()
# What nothing uses is not linked.
add_compile_options(
  "$<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>")
add_link_options($<$<CONFIG:Release>:-Wl,--gc-sections>)
if(MODICUM_SANITIZE)
  add_compile_options(-fsanitize=${MODICUM_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  if(NOT MODICUM_FUZZ)
    # Checks of every pointer double the time of a build; the address sanitizer
    # sees most of what they would, and the fuzz preset keeps them.
    add_compile_options(-fno-sanitize=null,alignment,object-size,vptr)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12's false alarms of uninitialised std::function and tl::expected.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  add_link_options(-fsanitize=${MODICUM_SANITIZE})
endif()

if(MODICUM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(MODICUM_PCH)
  # ccache needs it to see through a precompiled header.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  # Eight files are compiled as one, so that the templates they share are made
  # once too. Names in their unnamed namespaces must therefore differ.
  # (And what is told of types that a header should not have is of no header.)
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
endif()

# modicum_precompile(target owner header ...): the headers parsed once, for
# `owner` and all targets after it that are compiled alike.
function(modicum_precompile target owner)
  if(NOT MODICUM_PCH)
    return()
  elseif(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# Those that most files include.
set(modicum_headers <fmt/format.h> <algorithm> <filesystem> <functional> <map>
                    <memory> <optional> <set> <span> <string> <variant>
                    <vector>)

# modicum_test(program): one test, run where the repository's paths start.
function(modicum_test program)
  add_test(NAME ${program} COMMAND ${program}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# A precompiled header fits one level of optimisation: this one is for size.
function(modicum_cold_headers)
  if(MODICUM_PCH AND NOT TARGET modicum_cold_headers)
    add_library(modicum_cold_headers OBJECT ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
    target_link_libraries(modicum_cold_headers PRIVATE fmt::fmt)
    target_compile_options(modicum_cold_headers PRIVATE -Oz)
    modicum_precompile(modicum_cold_headers modicum_cold_headers
                       ${modicum_headers})
  endif()
endfunction()

# modicum_compile(target "lib;..." [COLD]): how a layer's sources are.
function(modicum_compile target libs)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src
                                              ${CMAKE_BINARY_DIR})
  target_link_libraries(${target} PUBLIC ${libs})
  if("COLD" IN_LIST ARGN AND CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -Oz)
    modicum_cold_headers()
    modicum_precompile(${target} modicum_cold_headers ${modicum_headers})
  else()
    modicum_precompile(${target} modicum_base ${modicum_headers})
  endif()
endfunction()

# modicum_layer(name [SOURCES a.cc ...] [COLD b.cc ...] [TESTS a_test.cc ...]
#               [THREADS b_test.cc ...] [LIBS lib ...])
# One static library per folder, modicum_<name>, and one test program,
# <name>_test, for the tests beside the code. COLD: sources where no time is
# spent, which a release compiles for size; the whole program stays under 4 MB.
# THREADS: tests of threaded code, the only ones that the thread sanitizer's
# build has.
function(modicum_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;COLD;TESTS;LIBS;THREADS" ${ARGN})
  if(NOT MODICUM_SANITIZE STREQUAL "thread")
    list(PREPEND ARG_THREADS ${ARG_TESTS})
  endif()
  if(ARG_COLD AND ARG_SOURCES AND CMAKE_BUILD_TYPE STREQUAL "Release")
    add_library(modicum_${name}_cold OBJECT ${ARG_COLD})
    modicum_compile(modicum_${name}_cold "${ARG_LIBS}" COLD)
    add_library(modicum_${name} STATIC ${ARG_SOURCES}
                                       $<TARGET_OBJECTS:modicum_${name}_cold>)
    modicum_compile(modicum_${name} "${ARG_LIBS}")
  elseif(ARG_SOURCES)
    add_library(modicum_${name} STATIC ${ARG_SOURCES} ${ARG_COLD})
    modicum_compile(modicum_${name} "${ARG_LIBS}")
  else()
    add_library(modicum_${name} STATIC ${ARG_COLD})
    modicum_compile(modicum_${name} "${ARG_LIBS}" COLD)
  endif()
  if(MODICUM_TESTS AND ARG_THREADS)
    add_executable(${name}_test ${ARG_THREADS})
    target_link_libraries(${name}_test PRIVATE modicum_${name} GTest::gmock
                                               GTest::gtest_main)
    modicum_host(${name}_test)
    target_compile_definitions(
      ${name}_test PRIVATE MODICUM_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                           MODICUM_BINARY_DIR="${CMAKE_BINARY_DIR}")
    modicum_precompile(${name}_test base_test ${modicum_headers}
                       <gmock/gmock.h> <gtest/gtest.h>)
    modicum_test(${name}_test)
  endif()
endfunction()

# Lets `program` be the host of modules: they take base (and the model
# interface) from it, so every object of those is kept and our own symbols are
# exported; others' (JSON, CLI11) would make the program a quarter larger.
function(modicum_host program)
  set_target_properties(
    ${program} PROPERTIES LINK_LIBRARY_OVERRIDE_modicum_base WHOLE_ARCHIVE
                          LINK_LIBRARY_OVERRIDE_modicum_model WHOLE_ARCHIVE
                          LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/exports.ld)
  target_link_options(
    ${program} PRIVATE
    -Wl,--dynamic-list=${CMAKE_SOURCE_DIR}/cmake/exports.ld)
endfunction()

# modicum_module(name SOURCES ... LIBS ...): libmodicum-<name>.so, opened at
# run time. Undefined symbols of base are resolved by the program.
function(modicum_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_library(modicum-${name} MODULE ${ARG_SOURCES})
  target_include_directories(modicum-${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(modicum-${name} PRIVATE ${ARG_LIBS})
  set_target_properties(modicum-${name} PROPERTIES
                        CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON)
  # Where the program in bin/ looks for it.
  install(TARGETS modicum-${name} LIBRARY DESTINATION lib/modicum
          COMPONENT engines OPTIONAL)
endfunction()

# modicum_embed(target file.csv): <build>/data/file.h with
#   inline constexpr std::string_view kFileCsv
function(modicum_embed target file)
  get_filename_component(stem ${file} NAME_WE)
  string(REPLACE "_" ";" words "${stem}")
  set(camel "")
  foreach(word ${words})
    string(SUBSTRING ${word} 0 1 first)
    string(TOUPPER ${first} first)
    string(SUBSTRING ${word} 1 -1 rest)
    string(APPEND camel ${first}${rest})
  endforeach()
  set(header ${CMAKE_BINARY_DIR}/data/${stem}.h)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/data/${file}
            -DOUTPUT=${header} -DNAME=k${camel}Csv
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${CMAKE_SOURCE_DIR}/data/${file}
            ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  target_sources(${target} PRIVATE ${header})
endfunction()
