# One interface target carries what every target of the project is compiled with.
add_library(rt_flags INTERFACE)
target_compile_features(rt_flags INTERFACE c_std_17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_definitions(rt_flags INTERFACE
    _POSIX_C_SOURCE=200809L
    RT_VERSION="${PROJECT_VERSION}"
    RT_DATADIR="${CMAKE_INSTALL_FULL_DATADIR}/raytui"
    RT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
if(APPLE)
    target_compile_definitions(rt_flags INTERFACE _DARWIN_C_SOURCE)
else()
    target_compile_definitions(rt_flags INTERFACE _DEFAULT_SOURCE _XOPEN_SOURCE=700)
endif()
target_compile_options(rt_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wstrict-prototypes
    -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough
    $<$<BOOL:${RT_WERROR}>:-Werror>)

option(RT_WERROR "warnings are errors" OFF)
set(RT_SANITIZE "" CACHE STRING "sanitizers, e.g. address,undefined")
option(RT_FUZZ "fuzz targets as libFuzzer programs (clang)" OFF)
if(RT_FUZZ)
    target_compile_options(rt_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(RT_SANITIZE)
    target_compile_options(rt_flags INTERFACE -fsanitize=${RT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(rt_flags INTERFACE -fsanitize=${RT_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(rt_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
    if(NOT APPLE)
        target_link_options(rt_flags INTERFACE -pie -Wl,-z,relro,-z,now,--as-needed) # each library costs time and memory at the start
    endif()
endif()
