# What is installed, and where: by GNUInstallDirs, so that packages and --prefix decide.
include(GNUInstallDirs)

# libratelimit: `runtime` is what programs need that are linked to it, `development` what it takes to link
# them.
install(TARGETS ratelimit LIBRARY
    DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(FILES ${RATELIMIT_ARCHIVE} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES include/ratelimit.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(FILES man/ratelimit.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)

# The prefix of `cmake --install --prefix` is not known here, so ratelimit.pc finds it from where it is
# itself. What the static library needs stands under Libs.private by name: to link the shared one takes no
# other -dev package.
file(RELATIVE_PATH RATELIMIT_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" RATELIMIT_PREFIX_FROM_PC ${RATELIMIT_PREFIX_FROM_PC})
set(RATELIMIT_PRIVATE_LIBS -levent_core)
if(NOT RATELIMITD_HIREDIS_ARCHIVES)
    list(APPEND RATELIMIT_PRIVATE_LIBS ${HIREDIS_SSL_LDFLAGS} ${HIREDIS_LDFLAGS})
endif()
if(RATELIMITD_TLS)
    list(APPEND RATELIMIT_PRIVATE_LIBS -lssl)
endif()
list(APPEND RATELIMIT_PRIVATE_LIBS -lcrypto -pthread -lm)
list(JOIN RATELIMIT_PRIVATE_LIBS " " RATELIMIT_PRIVATE_LIBS)
configure_file(cmake/ratelimit.pc.in ratelimit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ratelimit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
