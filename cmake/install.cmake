install(TARGETS raytui RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY themes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/raytui/themes FILES_MATCHING PATTERN "*.yaml")

# Completions and the tables of the man pages are printed by the program itself, so they cannot differ from it.
if(NOT CMAKE_CROSSCOMPILING)
    set(generated ${CMAKE_BINARY_DIR}/generated)
    add_custom_command(
        OUTPUT ${generated}/raytui.bash ${generated}/_raytui ${generated}/raytui.fish ${generated}/raytui.1 ${generated}/raytui.5
        COMMAND ${CMAKE_COMMAND} -DRAYTUI=$<TARGET_FILE:raytui> -DSOURCE=${CMAKE_SOURCE_DIR} -DOUT=${generated}
                -P ${CMAKE_SOURCE_DIR}/cmake/generate.cmake
        DEPENDS raytui ${CMAKE_SOURCE_DIR}/man/raytui.1.in ${CMAKE_SOURCE_DIR}/man/raytui.5.in cmake/generate.cmake
        VERBATIM)
    add_custom_target(raytui_generated ALL DEPENDS ${generated}/raytui.1)
    install(FILES ${generated}/raytui.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${generated}/raytui.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
    install(FILES ${generated}/raytui.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME raytui)
    install(FILES ${generated}/_raytui DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${generated}/raytui.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

set(CPACK_PACKAGE_CONTACT "raytui developers")
set(CPACK_GENERATOR "TGZ;DEB")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(RT_LATE_CURL)
    set(CPACK_DEBIAN_PACKAGE_DEPENDS libcurl4) # loaded by name, which is not seen in the program
endif()
include(CPack)
