// Content codings of an upload.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/transport/envelope_text.hpp"

namespace profile_relay::sdk {

enum class content_coding : std::uint8_t { none, gzip, zstd };

/// The value of Content-Encoding; "" for none.
[[nodiscard]] std::string_view coding_name(content_coding coding);

/// The envelope's three parts as one body. Works through it in pieces and asks `cancelled` before each; absent if that
/// said yes. Throws std::runtime_error if the library refuses, std::bad_alloc.
[[nodiscard]] std::optional<std::string> compress(content_coding coding, envelope_text const& text,
                                                  std::function<bool()> const& cancelled);

}  // namespace profile_relay::sdk
