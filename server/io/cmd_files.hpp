#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "envelope/raw_chunk.hpp"
#include "server/io/cmd.hpp"

namespace profile_relay::server {

/// The whole file, or standard input for "-". Absent = unreadable, and the reason was printed.
std::optional<std::string> read_input(std::string const& file);

/// Prints "profile-relay: <what>" to stderr and returns 1.
int fail(std::string_view what);

/// 32 random lowercase hex digits, from the kernel.
std::string random_hex32();
/// 16 random bytes, from the kernel.
std::string random_bytes16();

/// config.yml of the folder.
std::filesystem::path config_file(config_arguments const& a);

/// How a file is read; absent = it cannot be.
using file_source = std::function<std::optional<std::string>(std::filesystem::path const&)>;

/// Loads the configuration of a folder with the process's environment, config.yml and files named in it through
/// `read`.
config::result<config::loaded> load_folder(config_arguments const& a, file_source const& read);

/// Loads the configuration of a folder with the process's environment. Absent = it cannot be used, and the one sentence
/// about it was printed. A folder that does not exist is an error that names `config init`.
std::optional<config::loaded> load_configuration(config_arguments const& a);

/// The metadata of a trace that came without: ids at random.
std::string demo_metadata(std::string_view chunk_id, std::string_view platform);

}  // namespace profile_relay::server
