# encode_traces(NAMES...): NAME.textproto of the calling folder becomes <build>/traces/NAME.pftrace. Defines the target
# `test_traces`, part of `all`; a test that reads the files needs add_dependencies(... test_traces).
function(encode_traces)
  set(outputs)
  foreach(name IN LISTS ARGN)
    set(text ${CMAKE_CURRENT_SOURCE_DIR}/${name}.textproto)
    set(bytes ${CMAKE_BINARY_DIR}/traces/${name}.pftrace)
    add_custom_command(OUTPUT ${bytes}
      COMMAND encode-trace ${text} ${bytes}
      DEPENDS encode-trace ${text}
      COMMENT "Encoding ${name}.pftrace")
    list(APPEND outputs ${bytes})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/traces)
  add_custom_target(test_traces ALL DEPENDS ${outputs})
endfunction()
