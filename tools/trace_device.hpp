#pragma once

#include <string_view>
#include <vector>

#include "tools/trace_session.hpp"

namespace profile_relay::trace_maker {

/// How many modules of `device_modules()` hold native code; they come first, the Java ones follow, as many
/// again.
inline constexpr std::uint32_t native_modules = 20;

/// The images of one app process on an arm64 device: 20 ELF files with build ids (one inside the APK), 20
/// with Java code (.odex, .vdex, .oat, base.apk, JIT cache, class data that the runtime mapped anonymously).
std::vector<module> device_modules();

/// Index of the module whose path ends with `name`. Ends the program if there is none: the caller's table is
/// wrong.
std::uint32_t module_named(std::vector<module> const& modules, std::string_view name);

}  // namespace profile_relay::trace_maker
