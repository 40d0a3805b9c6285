# add_embedded_text(name file...): a library that holds the files, in this order, as one text.
#
# It declares in name.h:  extern const char name_text[]; extern const size_t name_bytes; extern const char name_sha1[];
# The digest is the one by which EVALSHA calls a script.
function(add_embedded_text name)
    set(whole "")
    foreach(file ${ARGN})
        set(path ${PROJECT_SOURCE_DIR}/${file})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
        file(READ ${path} text)
        string(APPEND whole "${text}")
    endforeach()
    string(SHA1 sha1 "${whole}")
    string(LENGTH "${whole}" bytes)
    string(REPLACE "\\" "\\\\" escaped "${whole}")
    string(REPLACE "\"" "\\\"" escaped "${escaped}")
    string(REPLACE "?" "\\?" escaped "${escaped}") # no trigraphs
    string(REPLACE "\n" "\\n\"\n    \"" escaped "${escaped}")

    set(directory ${CMAKE_CURRENT_BINARY_DIR}/${name})
    file(CONFIGURE OUTPUT ${directory}/${name}.h @ONLY CONTENT [[
/* Made by the build. */
#include <stddef.h>
extern const char @name@_text[];
extern const size_t @name@_bytes;
extern const char @name@_sha1[];
]])
    file(CONFIGURE OUTPUT ${directory}/${name}.c @ONLY CONTENT [[
#include "@name@.h"
const char @name@_text[] =
    "@escaped@";
const size_t @name@_bytes = sizeof(@name@_text) - 1;
const char @name@_sha1[] = "@sha1@";
]])
    add_library(${name} STATIC ${directory}/${name}.c)
    target_include_directories(${name} PUBLIC ${directory})
    target_compile_options(${name} PRIVATE -Wno-overlength-strings)
endfunction()
