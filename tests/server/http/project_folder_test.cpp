#include "server/io/project_folder.hpp"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>

using namespace profile_relay::server;
namespace fs = std::filesystem;

namespace {

class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (fs::temp_directory_path() / "project-folder-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_folder() { fs::remove_all(path_); }
  temporary_folder(temporary_folder const&) = delete;
  temporary_folder& operator=(temporary_folder const&) = delete;
  fs::path const& path() const { return path_; }

 private:
  fs::path path_;
};

void write(fs::path const& file, std::string const& text) { std::ofstream(file, std::ios::binary) << text; }

constexpr int file_count = 30;

void prepare(fs::path const& home, int generation) {
  auto const fresh = home / std::to_string(generation);
  fs::create_directory(fresh);
  for (int i = 0; i < file_count; ++i)
    write(fresh / (std::to_string(i) + ".json"), std::to_string(generation));
  fs::create_directory_symlink(fresh.filename(), home / "tmp");
}

/// The link leads to the new folder, then the old one goes, as Kubernetes does it.
void swap(fs::path const& home, int generation) {
  fs::rename(home / "tmp", home / "projects");
  fs::remove_all(home / std::to_string(generation - 1));
}

}  // namespace

TEST_CASE("a folder that is swapped while it is read is read as one whole") {
  temporary_folder const home;
  prepare(home.path(), 1);
  swap(home.path(), 1);
  for (int round = 2; round < 100; ++round) {
    prepare(home.path(), round);
    std::atomic<bool> begun = false;
    std::thread swapper([&] {
      begun = true;
      swap(home.path(), round);
    });
    while (!begun) std::this_thread::yield();
    auto const read = read_project_folder(home.path() / "projects");
    swapper.join();
    INFO(round << ": " << read.problem);
    REQUIRE(read.files.size() == file_count);
    std::set<std::string> generations;
    for (auto const& file : read.files) {
      INFO(file.name << ": " << file.problem);
      REQUIRE(file.text);
      generations.insert(*file.text);
    }
    REQUIRE(generations.size() == 1);
  }
}

TEST_CASE("a project file is a regular file of bounded size, or a link to one") {
  temporary_folder const home;
  auto const at = [&](char const* name) { return home.path() / name; };
  write(at("largest.json"), std::string(max_project_file_bytes, ' '));
  write(at("too_large.json"), std::string(max_project_file_bytes + 1, ' '));
  fs::create_symlink("largest.json", at("link.json"));
  fs::create_symlink("/dev/zero", at("device.json"));
  REQUIRE(mkfifo(at("pipe.json").c_str(), 0600) == 0);
  write(at(".hidden.json"), "");
  write(at("other.txt"), "");

  auto const read = read_project_folder(home.path());
  CHECK(read.problem.empty());
  CHECK(read.files.size() == 5);
  for (auto const& file : read.files) {
    INFO(file.name);
    if (file.name == "largest.json" || file.name == "link.json") {
      REQUIRE(file.text);
      CHECK(file.text->size() == max_project_file_bytes);
    } else {
      CHECK_FALSE(file.text);
      CHECK(file.problem == (file.name == "too_large.json" ? "larger than 4 MiB" : "not a regular file"));
    }
  }
}

TEST_CASE("a folder that cannot be listed says why, and whether it is there") {
  temporary_folder const home;
  auto const gone = read_project_folder(home.path() / "gone");
  CHECK(gone.missing);
  CHECK(gone.problem == "No such file or directory");
  write(home.path() / "file", "");
  auto const file = read_project_folder(home.path() / "file");
  CHECK_FALSE(file.missing);
  CHECK(file.problem == "Not a directory");
}
