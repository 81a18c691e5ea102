# llama.cpp as tools/llama built it: the library `llama`, or none, and then
# there is no neural engine.
set(MODICUM_LLAMA ${CMAKE_SOURCE_DIR}/build/llama CACHE PATH
    "Folder that tools/llama wrote")
if(DEFINED ENV{MODICUM_LLAMA})
  set(MODICUM_LLAMA $ENV{MODICUM_LLAMA})
endif()
# Linked in, or in a package beside the module; what a package opens at run
# time is built as modules and may be linked to by none.
file(GLOB backends ${MODICUM_LLAMA}/build/ggml/src/libggml-*.a
     ${MODICUM_LLAMA}/build/ggml/src/*/libggml-*.a)
file(GLOB MODICUM_LLAMA_LIBRARIES ${MODICUM_LLAMA}/build/bin/libggml*.so*
     ${MODICUM_LLAMA}/build/bin/libllama.so*)
set(base ${MODICUM_LLAMA}/build/bin/libggml-base.so)
if(EXISTS ${MODICUM_LLAMA}/stamp AND (backends OR EXISTS ${base}))
  add_library(llama INTERFACE)
  target_include_directories(
    llama SYSTEM INTERFACE ${MODICUM_LLAMA}/source/include
                           ${MODICUM_LLAMA}/source/ggml/include)
  if(backends)
    set(MODICUM_LLAMA_LIBRARIES "")
    target_link_libraries(
      llama INTERFACE ${MODICUM_LLAMA}/build/src/libllama.a
                      ${MODICUM_LLAMA}/build/ggml/src/libggml.a
                      -Wl,--start-group ${backends} -Wl,--end-group)
  else()
    target_compile_definitions(llama INTERFACE GGML_BACKEND_DL)
    target_link_libraries(
      llama INTERFACE ${MODICUM_LLAMA}/build/bin/libllama.so
                      ${MODICUM_LLAMA}/build/bin/libggml.so ${base})
  endif()
  target_link_libraries(llama INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
  # Links anew when the library was built anew.
  set_property(TARGET llama PROPERTY INTERFACE_LINK_DEPENDS
                                     ${MODICUM_LLAMA}/stamp)
else()
  message(STATUS "no llama.cpp (tools/llama builds it): no neural engine")
endif()
