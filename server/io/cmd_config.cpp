#include <sys/stat.h>

#include <fstream>
#include <iostream>

#include "server/core/reason_page.hpp"
#include "server/io/cmd_files.hpp"
#include "server/io/project_folder.hpp"
#include "server/io/self_profiler.hpp"

namespace profile_relay::server {

namespace {

namespace fs = std::filesystem;

enum class written : std::uint8_t { yes, kept, failed };

/// Never overwrites: "x" fails when the file is there.
written write_new(fs::path const& file, std::string const& text) {
  std::error_code ec;
  if (fs::exists(file, ec)) {
    std::cout << "kept     " << file.string() << " (it was there already)\n";
    return written::kept;
  }
  auto* f = std::fopen(file.c_str(), "wx");
  if (f == nullptr) return fail("cannot write " + file.string()), written::failed;
  bool const ok = std::fwrite(text.data(), 1, text.size(), f) == text.size();
  if (std::fclose(f) != 0 || !ok) return fail("cannot write " + file.string()), written::failed;
  std::cout << "written  " << file.string() << '\n';
  return written::yes;
}

/// The first key of a project file, for the DSN of a folder that was there before.
std::optional<std::string> key_in(fs::path const& folder, std::string const& name) {
  for (auto const& file : read_project_folder(folder).files) {
    if (file.name != name || !file.text) continue;
    auto const parsed = config::parse_project(file.name, *file.text);
    if (parsed && !parsed->value.keys.empty()) return parsed->value.keys.front().key;
  }
  return std::nullopt;
}

}  // namespace

int cmd_config_init(fs::path const& dir) {
  std::error_code ec;
  fs::create_directories(dir / "projects", ec);
  if (ec) return fail("cannot make the folder " + (dir / "projects").string() + ": " + ec.message());
  auto const key = random_hex32();
  if (write_new(dir / "config.yml", config::default_config_text()) == written::failed) return 1;
  if (write_new(dir / "projects" / "1.json", config::demo_project_text(key)) == written::failed) return 1;
  auto const loaded = load_configuration({dir, {}});
  auto const port = loaded ? loaded->values.relay.port : config::settings{}.relay.port;
  auto const in_force = key_in(dir / "projects", "1.json");
  if (in_force) std::cout << "\nDSN      http://" << *in_force << "@127.0.0.1:" << port << "/1\n";
  std::cout << "start    profile-relay run -c " << dir.string() << '\n';
  return 0;
}

int cmd_config_show(config_arguments const& a) {
  auto const loaded = load_configuration(a);
  if (!loaded) return 1;
  std::cout << config::show(loaded->values);
  return 0;
}

int cmd_config_docs() {
  std::cout << config::options_markdown();
  return 0;
}

int cmd_reasons() {
  std::cout << reasons_markdown();
  return 0;
}

int cmd_check_config(config_arguments const& a) {
  auto const loaded = load_configuration(a);
  if (!loaded) return 1;
  for (auto const& line : loaded->warnings) std::cerr << "warning: " << line << '\n';
  if (auto const own = self_profiler::make(loaded->values.profiling.self_dsn); !own)
    return fail(own.error().what);
  config::project_set set;
  auto folder = read_project_folder(a.dir / "projects");
  if (!folder.problem.empty() && !folder.missing)
    return fail((a.dir / "projects").string() + ": cannot be listed: " + folder.problem);
  auto const report = set.reload(std::move(folder.files));
  for (auto const& line : report.warnings) std::cerr << "warning: " << line << '\n';
  for (auto const& line : report.errors) fail(line);
  auto const count = set.snapshot()->size();
  if (!report.errors.empty()) return 1;
  std::cout << a.dir.string() << ": ok, " << count << (count == 1 ? " project\n" : " projects\n");
  return 0;
}

}  // namespace profile_relay::server
