#include "server/io/cmd_files.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace profile_relay::server {

namespace {

std::optional<std::string> slurp(std::filesystem::path const& file) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return std::nullopt;
  return text;
}

}  // namespace

int fail(std::string_view what) {
  std::cerr << "profile-relay: " << what << '\n';
  return 1;
}

std::optional<std::string> read_input(std::string const& file) {
  if (file == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  auto text = slurp(file);
  if (!text) fail("cannot read " + file + ": " + (errno != 0 ? std::strerror(errno) : "not a regular file"));
  return text;
}

std::string random_bytes16() {
  std::string out(16, '\0');
  // Up to 256 bytes come at once and whole (getrandom(2)).
  if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size()))
    throw std::runtime_error("the kernel gives no random bytes");
  return out;
}

std::string random_hex32() {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (char c : random_bytes16()) {
    auto const b = static_cast<unsigned char>(c);
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

std::filesystem::path config_file(config_arguments const& a) { return a.dir / "config.yml"; }

config::result<config::loaded> load_folder(config_arguments const& a, file_source const& read) {
  auto const refused = [](std::string what) {
    return config::error{config::errc::unreadable, "", 0, "", std::move(what)};
  };
  std::error_code ec;
  if (!std::filesystem::is_directory(a.dir, ec))
    return refused("there is no configuration folder " + a.dir.string() + "; `profile-relay config init -c " +
                   a.dir.string() + "` makes one");
  auto const file = config_file(a);
  auto const text = read(file);
  if (!text && std::filesystem::exists(file, ec)) return refused("cannot read " + file.string());
  config::environment const env{
      [](std::string const& name) -> std::optional<std::string> {
        auto const* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      read,
  };
  return config::load(a.dir, text, env, a.overrides);
}

std::optional<config::loaded> load_configuration(config_arguments const& a) {
  auto loaded = load_folder(a, slurp);
  if (!loaded) {
    fail(loaded.error().to_string());
    return std::nullopt;
  }
  return std::move(*loaded);
}

std::string demo_metadata(std::string_view chunk_id, std::string_view platform) {
  nlohmann::ordered_json const m{
      {"chunk_id", chunk_id},
      {"profiler_id", random_hex32()},
      {"platform", platform},
      {"version", "2"},
      {"client_sdk", {{"name", "profile-relay.send"}, {"version", PROFILE_RELAY_VERSION}}},
      {"content_type", envelope::perfetto_mime},
  };
  return m.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace profile_relay::server
