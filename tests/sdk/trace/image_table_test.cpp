#include "sdk/trace/image_table.hpp"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sdk/trace/text.hpp"

namespace sdk = profile_relay::sdk;
namespace fs = std::filesystem;

namespace {

using address_function = std::uintptr_t (*)();

struct loadable {
  explicit loadable(std::string const& path = LOADABLE)
      : handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    REQUIRE(handle != nullptr);
    address = reinterpret_cast<address_function>(::dlsym(handle, "address_in_loadable"))();
  }
  loadable(loadable const&) = delete;
  loadable& operator=(loadable const&) = delete;
  ~loadable() { ::dlclose(handle); }
  void* handle;
  std::uintptr_t address;
};

std::string raw_name(sdk::known_image const* image, std::uintptr_t address) {
  REQUIRE(image != nullptr);
  REQUIRE(image->symbols != nullptr);
  return image->symbols->name_at(address - image->bias);
}

std::string command_output(std::string const& command) {
  std::string out;
  auto* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  ::pclose(pipe);
  return out;
}

std::string hex(std::string const& bytes) {
  std::string out;
  for (char const c : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += two;
  }
  return out;
}

__attribute__((noinline)) int hidden_in_program(int n) {
  auto volatile copy = n;
  return copy + 1;
}

}  // namespace

TEST_CASE("an image is known while it is loaded, and its symbols are read from .symtab") {
  sdk::image_table table;
  CHECK_FALSE(table.refresh());
  std::uintptr_t address = 0;
  {
    loadable const image;
    address = image.address;
    CHECK(table.refresh());
    auto const* const found = table.find(address);
    REQUIRE(found != nullptr);
    CHECK(found->path == LOADABLE);
    CHECK(sdk::function_name(raw_name(found, address)) == "hidden_in_loadable(int)");
    CHECK(sdk::function_name(raw_name(found, address + 1)) == "hidden_in_loadable(int)");
  }
  CHECK(table.refresh());
  auto const* const after = table.find(address);
  CHECK((after == nullptr || after->path != LOADABLE));
}

TEST_CASE("build ids are the bytes that readelf prints") {
  loadable const image;
  sdk::image_table const table;
  auto const* const found = table.find(image.address);
  REQUIRE(found != nullptr);
  CHECK(found->build_id.size() == 20);
  auto const printed = command_output(std::string("readelf -n ") + LOADABLE);
  INFO(printed);
  CHECK(printed.find("Build ID: " + hex(found->build_id)) != std::string::npos);
}

TEST_CASE("an image keeps its number and its symbols when others come and go") {
  sdk::image_table table;
  auto const address = reinterpret_cast<std::uintptr_t>(&hidden_in_program);
  auto const* const before = table.find(address);
  REQUIRE(before != nullptr);
  auto const* const symbols = before->symbols.get();
  auto const id = before->id;
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    {
      loadable const image;
      CHECK(table.refresh());
      auto const now = table.find(image.address)->id;
      CHECK(now > last);
      last = now;
    }
    CHECK(table.refresh());
    CHECK(table.find(address)->id == id);
    CHECK(table.find(address)->symbols.get() == symbols);
  }
}

TEST_CASE("program, C library and vdso are images") {
  sdk::image_table const table;
  auto const own = reinterpret_cast<std::uintptr_t>(&hidden_in_program);
  CHECK(hidden_in_program(1) == 2);
  CHECK(sdk::function_name(raw_name(table.find(own), own)).ends_with("hidden_in_program(int)"));
  CHECK(table.find(own)->path == fs::read_symlink("/proc/self/exe"));
  auto const libc = reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, "drand48"));
  CHECK(raw_name(table.find(libc), libc) == "drand48");
  auto const vdso = ::getauxval(AT_SYSINFO_EHDR);
  auto const* const kernels = table.find(vdso);
  REQUIRE(kernels != nullptr);
  CHECK(kernels->path == "[vdso]");
  REQUIRE(kernels->symbols != nullptr);
  bool has_clock = false;
  for (auto at = kernels->start; at < kernels->end; at += 16)
    has_clock |= kernels->symbols->name_at(at - kernels->bias).find("clock_gettime") != std::string::npos;
  CHECK(has_clock);
}

TEST_CASE("what lies in no image is not found") {
  sdk::image_table const table;
  CHECK(table.find(0) == nullptr);
  CHECK(table.find(UINTPTR_MAX) == nullptr);
  int local = 0;
  CHECK(table.find(reinterpret_cast<std::uintptr_t>(&local)) == nullptr);
}

TEST_CASE("a file that was replaced since it was loaded gives no names") {
  auto const folder = fs::temp_directory_path() / ("replaced-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  auto const path = folder / "image.so";
  fs::copy_file(LOADABLE, path, fs::copy_options::overwrite_existing);
  {
    loadable const image(path.string());
    SECTION("before its symbols were read") {
      fs::remove(path);
      fs::copy_file("/proc/self/exe", path);
      sdk::image_table const table;
      auto const* const found = table.find(image.address);
      REQUIRE(found != nullptr);
      CHECK(found->path == path);
      CHECK(found->symbols == nullptr);
    }
    SECTION("after") {
      sdk::image_table const table;
      CHECK(raw_name(table.find(image.address), image.address) != "");
      fs::remove(path);
      fs::copy_file("/proc/self/exe", path);
      CHECK(raw_name(table.find(image.address), image.address) == "");
    }
  }
  fs::remove_all(folder);
}

TEST_CASE("more functions than may be kept: addresses without names") {
  sdk::image_table const table(1);
  auto const own = reinterpret_cast<std::uintptr_t>(&hidden_in_program);
  auto const* const found = table.find(own);
  REQUIRE(found != nullptr);
  CHECK(found->symbols == nullptr);
  CHECK_FALSE(found->build_id.empty());
}

// Each child loads an image, which would hang if the fork had caught us inside the loader's lock.
TEST_CASE("a child can load images although its parent looks at them all the time") {
  std::atomic<bool> stop{false};
  std::thread looking([&] {
    sdk::loader_counts counts;
    while (!stop.load()) static_cast<void>(sdk::list_loaded_images(counts));
  });
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    auto const child = ::fork();
    if (child == 0) {
      ::alarm(30);
      ::_exit(::dlopen(LOADABLE, RTLD_NOW | RTLD_LOCAL) != nullptr ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    if (status == 0) ++good;
  }
  stop = true;
  looking.join();
  CHECK(good == 100);
}
