# The build rules shared by every folder: warnings, sanitizers, and the arrows between libraries.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths below the checkout count relative to it: a second clone of the same sources finds what the first compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${CCACHE_PROGRAM})
endif()

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual)
# Not -Wnull-dereference, and -Wmaybe-uninitialized off: g++ 12 reports both inside the standard library (strings,
# variants, shared_ptr) as soon as it optimises. The sanitizers and valgrind watch over what they would find.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU) # clang, which the fuzzers need, does not know these
  target_compile_options(project_options INTERFACE -Wduplicated-cond -Wlogical-op -Wno-maybe-uninitialized)
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  target_link_options(project_options INTERFACE -fuse-ld=mold)
endif()
if(PROFILE_RELAY_SANITIZE)
  target_compile_options(project_options INTERFACE
    -fsanitize=${PROFILE_RELAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(project_options INTERFACE -fsanitize=${PROFILE_RELAY_SANITIZE})
endif()
if(PROFILE_RELAY_SANITIZE STREQUAL thread)
  # Asio has fences, which ThreadSanitizer does not see. Where it uses them, locks order the same.
  target_compile_options(project_options INTERFACE -Wno-tsan)
endif()
if(PROFILE_RELAY_FUZZ)
  # Coverage for libFuzzer in everything; its main() only in the fuzzers themselves (tests/fuzz).
  target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What no pure library may link, directly or through another library.
set(PURE_FORBIDDEN rdkafka asio beast spdlog sqlite prometheus CLI11 Threads)

function(_assert_pure target seen)
  get_target_property(links ${target} LINK_LIBRARIES)
  get_target_property(ilinks ${target} INTERFACE_LINK_LIBRARIES)
  foreach(lib IN LISTS links ilinks)
    if(NOT lib)
      continue()
    endif()
    string(TOLOWER "${lib}" low)
    foreach(bad IN LISTS PURE_FORBIDDEN)
      string(TOLOWER "${bad}" badlow)
      if(low MATCHES "${badlow}" AND NOT low MATCHES "^protobuf")
        message(FATAL_ERROR "the pure library ${seen} links ${lib}: sockets, threads, logging and storage belong in server/")
      endif()
    endforeach()
    if(lib MATCHES "^profile_relay_" AND TARGET ${lib})
      _assert_pure(${lib} "${seen} -> ${lib}")
    endif()
  endforeach()
endfunction()

# pure_library(NAME SOURCES... [LINKS ...]): a static library without sockets, clocks, threads or logging.
# Two locks: it may not link what is in PURE_FORBIDDEN, and tools/cmake/pure_guard shadows the headers
# of those libraries (all of Boost lies in one include folder, so linking alone could not stop an #include).
function(pure_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC project_options Boost::headers ${ARG_LINKS})
  target_include_directories(${name} BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/tools/cmake/pure_guard)
  _assert_pure(${name} ${name})
endfunction()

# project_test(NAME SOURCES... [LINKS ...]): a Catch2 program whose cases ctest knows one by one.
function(project_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE project_options Catch2::Catch2WithMain ${ARG_LINKS})
  target_compile_definitions(${name} PRIVATE
    TEST_DATA_DIR="${CMAKE_SOURCE_DIR}/tests/data" TEST_BUILD_DIR="${CMAKE_BINARY_DIR}")
  catch_discover_tests(${name} TEST_PREFIX "${name}: " EXTRA_ARGS -w NoTests PROPERTIES TIMEOUT 300)
endfunction()
