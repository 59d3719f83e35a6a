#pragma once

#include <string>
#include <string_view>

namespace attack {

/// The ways in which one trace can arrive. In the packed ones the decoder has to keep copies.
enum class form { plain, zlib_bundles, zstd_bundles, gzip_file, zstd_file };
inline constexpr form all_forms[] = {form::plain, form::zlib_bundles, form::zstd_bundles, form::gzip_file,
                                     form::zstd_file};

char const* name_of(form f);
std::string pack(std::string const& trace, form f);

std::string zlib(std::string_view bytes);
std::string gzip(std::string_view bytes);
std::string zstd(std::string_view bytes);
/// One packet that holds all of `trace`.
std::string zlib_bundle(std::string_view trace);
std::string zstd_bundle(std::string_view trace);

}  // namespace attack
