# Builds sdk/ as a project of its own, installs it, and builds and runs the example of docs/profiler.md against it in each
# of the three ways that the document names. -D REPOSITORY, SCRATCH (a folder that is this test's alone), COMPILER.
cmake_minimum_required(VERSION 3.25)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}${error}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# What the example says when it was really profiled.
function(run_example what program)
  run("${what}" ${program})
  if(NOT output MATCHES "^started ")
    message(FATAL_ERROR "${what} says: ${output}")
  endif()
endfunction()

file(READ ${REPOSITORY}/docs/profiler.md document)
file(READ ${REPOSITORY}/examples/quick_start/main.cpp example)
string(FIND "${document}" "```cpp\n${example}```" found)
if(found EQUAL -1)
  message(FATAL_ERROR "docs/profiler.md does not show examples/quick_start/main.cpp")
endif()

file(REMOVE_RECURSE ${SCRATCH}/prefix)
# Not optimised: what is tested is that it builds.
set(generate -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER=${COMPILER})
set(ENV{CCACHE_NOHASHDIR} 1) # add_subdirectory finds what sdk/ alone has compiled
find_program(CCACHE ccache)
if(CCACHE)
  list(APPEND generate -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
endif()

run("sdk/ alone: configure" ${CMAKE_COMMAND} -S ${REPOSITORY}/sdk -B ${SCRATCH}/alone ${generate}
  -DCMAKE_INSTALL_PREFIX=${SCRATCH}/prefix -DCMAKE_INSTALL_LIBDIR=lib)
run("sdk/ alone: build" ${CMAKE_COMMAND} --build ${SCRATCH}/alone -j2)
run("sdk/ alone: install" ${CMAKE_COMMAND} --install ${SCRATCH}/alone)

run("find_package: configure" ${CMAKE_COMMAND} -S ${REPOSITORY}/examples/quick_start -B ${SCRATCH}/found ${generate}
  -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix)
run("find_package: build" ${CMAKE_COMMAND} --build ${SCRATCH}/found)
run_example("find_package: run" ${SCRATCH}/found/quick_start)

set(ENV{PKG_CONFIG_PATH} ${SCRATCH}/prefix/lib/pkgconfig)
run("pkg-config" pkg-config --cflags --libs profile_relay_profiler)
string(STRIP "${output}" output)
separate_arguments(flags UNIX_COMMAND "${output}")
run("pkg-config: build" ${COMPILER} -std=c++20 -Wall -Wextra -Werror ${REPOSITORY}/examples/quick_start/main.cpp
  -o ${SCRATCH}/quick_start ${flags})
run_example("pkg-config: run" ${SCRATCH}/quick_start)

run("add_subdirectory: configure" ${CMAKE_COMMAND} -S ${REPOSITORY}/tests/sdk/package/subdirectory
  -B ${SCRATCH}/subdirectory ${generate} -DREPOSITORY=${REPOSITORY})
run("add_subdirectory: build" ${CMAKE_COMMAND} --build ${SCRATCH}/subdirectory -j2)
run_example("add_subdirectory: run" ${SCRATCH}/subdirectory/quick_start)
