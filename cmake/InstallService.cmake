# What is installed of the service: the component `service`.
#
# The paths that stand in the unit and in the manual page are those of CMAKE_INSTALL_PREFIX when this is
# configured: with /usr, as in the packages, the configuration is in /etc; with /usr/local, in /usr/local/etc.
include(GNUInstallDirs)

# A build with sanitizers is for the tests, and cannot be counted on to print its own manual page.
if(RATELIMITD_SANITIZE)
    return()
endif()

set(RATELIMITD_RULES_FILE ${CMAKE_INSTALL_FULL_SYSCONFDIR}/ratelimitd/rate_limits.json)
set(RATELIMITD_DEFAULTS_FILE ${CMAKE_INSTALL_FULL_SYSCONFDIR}/default/ratelimitd)
set(RATELIMITD_UNIT_DIR lib/systemd/system CACHE STRING "where systemd looks for units")

# The binary prints the manual page's settings from its table.
set(manual ${PROJECT_BINARY_DIR}/ratelimitd.8)
configure_file(man/ratelimitd.8.in ${manual}.in @ONLY)
add_custom_command(OUTPUT ${manual}
    COMMAND ratelimitd --help=man > ${manual}.settings
    COMMAND sed -e "/^SETTINGS$/r ${manual}.settings" -e "/^SETTINGS$/d" ${manual}.in > ${manual}
    DEPENDS ratelimitd ${manual}.in VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual})
configure_file(packaging/ratelimitd.service.in ratelimitd.service @ONLY)

install(TARGETS ratelimitd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT service)
install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT service)
install(FILES ${PROJECT_BINARY_DIR}/ratelimitd.service packaging/ratelimitd.socket
    DESTINATION ${RATELIMITD_UNIT_DIR} COMPONENT service)
install(FILES packaging/ratelimitd.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ratelimitd COMPONENT service)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT service)
# The pages link to deploy and examples.
install(DIRECTORY docs deploy examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT service)

# A file that the operator may have changed is not written over. `cmake --install --prefix` moves it, as all
# the rest.
function(install_configuration source target)
    cmake_path(GET target FILENAME name)
    install(CODE "
        string(REGEX REPLACE \"^${CMAKE_INSTALL_PREFIX}/\" \"\${CMAKE_INSTALL_PREFIX}/\" target \"${target}\")
        cmake_path(GET target PARENT_PATH directory)
        if(EXISTS \"\$ENV{DESTDIR}\${target}\")
            message(STATUS \"Kept: \$ENV{DESTDIR}\${target}\")
        else()
            file(INSTALL DESTINATION \"\${directory}\" TYPE FILE RENAME ${name} PERMISSIONS ${ARGN}
                FILES \"${PROJECT_SOURCE_DIR}/${source}\")
        endif()" COMPONENT service)
endfunction()

install_configuration(rate_limits.json ${RATELIMITD_RULES_FILE} OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
# May come to hold a password; systemd reads it as root.
install_configuration(packaging/ratelimitd.default ${RATELIMITD_DEFAULTS_FILE} OWNER_READ OWNER_WRITE GROUP_READ)

install(CODE "
    if(NOT DEFINED CPACK_TEMPORARY_DIRECTORY AND NOT CMAKE_INSTALL_PREFIX STREQUAL \"${CMAKE_INSTALL_PREFIX}\")
        message(WARNING \"ratelimitd.service and ratelimitd(8) name paths below ${CMAKE_INSTALL_PREFIX}; to have them \"
            \"name \${CMAKE_INSTALL_PREFIX}, configure with -DCMAKE_INSTALL_PREFIX=\${CMAKE_INSTALL_PREFIX}\")
    endif()" COMPONENT service)
