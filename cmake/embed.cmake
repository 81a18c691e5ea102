# Writes INPUT as a string constant NAME into the header OUTPUT, without the
# comment at its top: where the figures are from is for who changes them.
file(READ ${INPUT} text)
string(REGEX REPLACE "^(#[^\n]*\n)+" "" text "${text}")
file(WRITE ${OUTPUT}
     "#pragma once\n#include <string_view>\n"
     "inline constexpr std::string_view ${NAME} =\n"
     "    R\"~csv~(${text})~csv~\";\n")
