# cpack: three Debian packages of what is installed. `cmake --workflow --preset deb` builds them from nothing.
#
#     ratelimitd        component service        what runs, its unit and configuration
#     libratelimit0     component runtime        for programs that are linked to it
#     libratelimit-dev  component development    what it takes to link them
#
# The number in libratelimit0 is that of the .so: programs linked to another one keep theirs.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL /usr OR RATELIMITD_SANITIZE)
    return() # the unit names its paths, and those of the packages are below /usr and in /etc
endif()

set(runtime_name libratelimit${PROJECT_VERSION_MAJOR})
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The ratelimitd authors")
set(RATELIMITD_MAINTAINER "The ratelimitd authors <ratelimitd@ratelimitd.invalid>" CACHE STRING "who answers for the packages")
set(CPACK_PACKAGE_CONTACT ${RATELIMITD_MAINTAINER})
set(CPACK_COMPONENTS_ALL service runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/compress.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # CPack would put one and the same before each description

set(CPACK_DEBIAN_SERVICE_PACKAGE_NAME ratelimitd)
set(CPACK_DEBIAN_SERVICE_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVICE_PACKAGE_SUGGESTS redis-server)
set(CPACK_DEBIAN_SERVICE_PACKAGE_CONTROL_EXTRA
    ${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles)
set(CPACK_DEBIAN_SERVICE_DESCRIPTION "HTTP rate limiting service
Decides, for each HTTP request, whether its client is still within its
limits: by token bucket, sliding window or fixed window, counted in Redis for
all nodes together, or in the memory of one process.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime_name})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/triggers)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "rate limits for C programs
Token bucket, sliding window and fixed window, counted in memory or in a Redis
that is shared with other programs and with ratelimitd.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libratelimit-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${runtime_name} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libevent-dev, libssl-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "rate limits for C programs: what it takes to link them
Token bucket, sliding window and fixed window, counted in memory or in a Redis
that is shared with other programs and with ratelimitd.

The header, ratelimit(3), the static library and what pkg-config reads.")

# Each package has its licences, its changelog, and what lintian is to accept of it.
string(TIMESTAMP RATELIMITD_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${debian}/changelog.in packages/changelog.Debian @ONLY)
foreach(pair service/ratelimitd runtime/${runtime_name} development/libratelimit-dev)
    cmake_path(GET pair PARENT_PATH component)
    cmake_path(GET pair FILENAME package)
    install(FILES ${PROJECT_BINARY_DIR}/packages/changelog.Debian ${debian}/copyright
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
    install(FILES ${debian}/lintian/${component} DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
        RENAME ${package} COMPONENT ${component})
endforeach()

include(CPack)
