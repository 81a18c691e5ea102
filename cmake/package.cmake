# Debian packages of what is installed: `cpack` in the build folder of the
# preset `package`. The program needs little; the engines bring what they use.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME modicum)
set(CPACK_PACKAGE_CONTACT "the Modicum authors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# Where modules of the packages find the libraries of llama.cpp.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/bin)

set(CPACK_COMPONENTS_ALL program engines library)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "Joules, carbon, water and money of AI: meter, plan, choose, run")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME modicum)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS modicum-engines)
set(CPACK_COMPONENT_ENGINES_DESCRIPTION
    "What modicum trains and runs models with, and how it asks services")
set(CPACK_DEBIAN_ENGINES_PACKAGE_NAME modicum-engines)
set(CPACK_DEBIAN_ENGINES_PACKAGE_DEPENDS "modicum (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "The C and C++ library of modicum's meter, with its headers")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libmodicum-dev)
if(TARGET _modicum)
  list(APPEND CPACK_COMPONENTS_ALL python)
  set(CPACK_COMPONENT_PYTHON_DESCRIPTION
      "The Python package modicum: joules of a block, CodeCarbon's verbs")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-modicum)
  set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
      "python3, libmodicum-dev (= ${PROJECT_VERSION})")
endif()
include(CPack)
