# How everything is compiled. RATELIMITD_SANITIZE is a list for -fsanitize=: "address,undefined" or "thread".
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(RATELIMITD_SANITIZE "" CACHE STRING "sanitizers to build with, as for -fsanitize=")
option(RATELIMITD_WERROR "warnings are errors" OFF)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
    -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion
    -fstack-protector-strong -fvisibility=hidden)
if(RATELIMITD_WERROR)
    add_compile_options(-Werror)
endif()

if(RATELIMITD_SANITIZE)
    add_compile_options(-fsanitize=${RATELIMITD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${RATELIMITD_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL Release OR CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
# Assertions stay in release builds: a bug stops the process rather than the limits.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
