#include "sdk/client/launch_file.hpp"

#include <unistd.h>

#include <array>
#include <fstream>
#include <string_view>
#include <system_error>

namespace profile_relay::sdk {
namespace {

namespace fs = std::filesystem;

struct row {
  std::string_view text;
  launch_decision decision;
};

/// All files there are; anything else is damage.
constexpr std::array<row, 4> files = {{
    {"profile-relay launch 1 session=0 app_start=0\n", {false, false}},
    {"profile-relay launch 1 session=0 app_start=1\n", {false, true}},
    {"profile-relay launch 1 session=1 app_start=0\n", {true, false}},
    {"profile-relay launch 1 session=1 app_start=1\n", {true, true}},
}};

}  // namespace

std::optional<launch_decision> read_launch(fs::path const& state_dir) noexcept {
  try {
    std::ifstream in(state_dir / launch_file_name, std::ios::binary);
    std::array<char, 64> buffer{};
    in.read(buffer.data(), buffer.size());
    std::string_view const text(buffer.data(), static_cast<std::size_t>(in.gcount()));
    for (auto const& f : files)
      if (text == f.text) return f.decision;
  } catch (...) {
    // The same as a file that is not there.
  }
  return {};
}

std::string store_launch(fs::path const& state_dir, launch_decision const& decision) {
  std::error_code error;
  fs::create_directories(state_dir, error);
  if (error) return state_dir.string() + ": " + error.message();
  auto const final_path = state_dir / launch_file_name;
  // Two processes with one state_dir must not write into the same file.
  auto const fresh = state_dir / (std::string(launch_file_name) + "." + std::to_string(::getpid()));
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    for (auto const& f : files)
      if (f.decision == decision) out << f.text;
    out.close();
    if (!out) {
      fs::remove(fresh, error);
      return fresh.string() + ": cannot be written";
    }
  }
  fs::rename(fresh, final_path, error);
  if (!error) return {};
  auto const why = final_path.string() + ": " + error.message();
  fs::remove(fresh, error);
  return why;
}

void forget_launch(fs::path const& state_dir) noexcept {
  try {
    std::error_code ignored;
    fs::remove(state_dir / launch_file_name, ignored);
  } catch (...) {
    // It stays, as a file that may not be removed does.
  }
}

}  // namespace profile_relay::sdk
