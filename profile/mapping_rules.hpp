#pragma once

#include <string_view>

#include "perfetto_decode/decoded_trace.hpp"

/// What the path of a mapping says about the frames in it. Source: perfetto-decoding 14.1, 14.2.
namespace profile_relay::profile {

/// The name as Sample v2 writes it: without its leading slash. "" when there is none.
std::string_view package_of(std::string_view mapping_name);

/// Rows 5 to 9 of the platform table, for a frame with a function name in a mapping with a name.
bool holds_java(std::string_view mapping_name, bool has_build_id);

/// True for a library that is not the system's. The main binary is the caller's to know.
/// Source: kafka-and-consumers 7, contract 13.
bool is_app_library(std::string_view mapping_name);

/// How a frame is shown, by the first matching row of the platform table.
enum class frame_platform : std::uint8_t {
  native_without_address,  ///< rows 1 and 4: the kernel, or nowhere
  native,                  ///< rows 2, 6, 7 and 9
  java,                    ///< rows 5 and 8
  of_chunk,                ///< row 3: no platform of its own
};

/// What `platform_of` needs to know of a mapping; a frame without one has the default.
struct mapping_traits {
  bool has_name = false;
  bool kernel = false;
  bool java = false;
};
mapping_traits traits_of(perfetto_decode::mapping const& m);
frame_platform platform_of(perfetto_decode::frame const& f, std::string_view function, mapping_traits m);

/// `android.view.View.draw` -> `android.view.View` and `draw`; without a module if it has none.
struct java_name {
  std::string_view module;  ///< "" = none
  std::string_view function;
};
java_name split_java(std::string_view name);

}  // namespace profile_relay::profile
