# add_layer(NAME FOLDER FILES file... LINKS layer... USES library...): a library of the files in FOLDER.
#
# A layer sees the headers of its folder and of the layers that it links, and no other: a wrong #include does
# not compile. The same holds for third-party libraries, whose headers the system puts where every file would
# see them: for each one that a layer does not use, headers of the same names come first, and stop the
# compiler.

set(THIRD_PARTY microhttpd hiredis cjson libevent openssl)
set(microhttpd_headers microhttpd.h)
set(hiredis_headers hiredis/hiredis.h hiredis/async.h hiredis/hiredis_ssl.h hiredis/adapters/libevent.h)
set(cjson_headers cjson/cJSON.h)
set(libevent_headers event2/event.h event2/event_struct.h event2/buffer.h event2/bufferevent.h event2/util.h)
set(openssl_headers openssl/crypto.h openssl/evp.h openssl/ssl.h openssl/err.h openssl/rand.h openssl/x509.h
    openssl/x509v3.h)
set(microhttpd_targets PkgConfig::MICROHTTPD)
set(hiredis_targets hiredis)
set(cjson_targets PkgConfig::CJSON)
set(libevent_targets PkgConfig::LIBEVENT)
set(openssl_targets PkgConfig::LIBCRYPTO)

foreach(library ${THIRD_PARTY})
    foreach(header ${${library}_headers})
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/fences/${library}/${header}
            CONTENT "#error \"this folder does not use ${library}: see its line in src/CMakeLists.txt\"\n")
    endforeach()
endforeach()

function(add_layer name folder)
    cmake_parse_arguments(PARSE_ARGV 2 layer "" "" "FILES;LINKS;USES")
    list(TRANSFORM layer_FILES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/)
    add_library(${name} STATIC ${layer_FILES})
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
    target_link_libraries(${name} PUBLIC ${layer_LINKS})
    foreach(library ${THIRD_PARTY})
        if(library IN_LIST layer_USES)
            target_link_libraries(${name} PRIVATE ${${library}_targets})
        else()
            target_include_directories(${name} BEFORE PRIVATE ${PROJECT_BINARY_DIR}/fences/${library})
        endif()
    endforeach()
endfunction()
