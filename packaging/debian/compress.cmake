# Run by CPack before it packs: manual pages and changelogs get the names that Debian looks for, and are
# compressed, with no time of day in them.
set(documents ${CPACK_TEMPORARY_DIRECTORY}/service/usr/share/doc/ratelimitd)
if(EXISTS ${documents}/CHANGELOG.md)
    file(RENAME ${documents}/CHANGELOG.md ${documents}/changelog)
endif()

file(GLOB files ${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/man/man*/*.[1-9]
    ${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/doc/*/changelog*)
foreach(file ${files})
    execute_process(COMMAND gzip -9 -n ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
