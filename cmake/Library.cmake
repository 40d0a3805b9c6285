# What users of libratelimit link: the layer `library` and all below it, in two forms that show ratelimit_*
# and nothing else. What the layers are called, and the private hiredis among them, can so never meet a name
# of the program's.
set(RATELIMIT_EXPORTS ${PROJECT_SOURCE_DIR}/src/library/exports.map)

# Shared. The symbols that the map names are those that ratelimit.h declares with RATELIMIT_API.
add_library(ratelimit SHARED $<TARGET_OBJECTS:library>)
target_include_directories(ratelimit INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(ratelimit PRIVATE store_memory store_redis PkgConfig::LIBEVENT Threads::Threads)
target_link_options(ratelimit PRIVATE -Wl,--version-script=${RATELIMIT_EXPORTS})
if(NOT RATELIMITD_SANITIZE) # a sanitizer's functions come with the program
    target_link_options(ratelimit PRIVATE -Wl,-z,defs)
endif()
set_target_properties(ratelimit PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${RATELIMIT_EXPORTS}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# Static: everything linked into one object, in which all names but ours are made local; an archive cannot
# hide any.
set(RATELIMIT_ARCHIVE ${PROJECT_BINARY_DIR}/libratelimit.a)
set(object ${CMAKE_CURRENT_BINARY_DIR}/ratelimit.o)
set(layers store_memory store_redis algorithm metrics util take_script overrides_script)
set(archives "")
foreach(layer ${layers})
    list(APPEND archives $<TARGET_FILE:${layer}>)
endforeach()
add_custom_command(OUTPUT ${RATELIMIT_ARCHIVE}
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${object} $<TARGET_OBJECTS:library>
        -Wl,--start-group ${archives} ${RATELIMITD_HIREDIS_ARCHIVES} -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=ratelimit_* ${object}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${RATELIMIT_ARCHIVE}
    COMMAND ${CMAKE_AR} qcs ${RATELIMIT_ARCHIVE} ${object}
    DEPENDS $<TARGET_OBJECTS:library> ${layers}
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Linking libratelimit.a")
add_custom_target(ratelimit_archive ALL DEPENDS ${RATELIMIT_ARCHIVE})
