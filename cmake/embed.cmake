# Writes INPUT as a string constant NAME into the header OUTPUT.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT}
     "#pragma once\n#include <string_view>\n"
     "inline constexpr std::string_view ${NAME} =\n"
     "    R\"~csv~(${text})~csv~\";\n")
