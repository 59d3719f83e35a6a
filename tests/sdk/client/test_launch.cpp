// R18: the state file, as the next launch finds it.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "rig.hpp"
#include "sdk/client/launch_file.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace fs = std::filesystem;

namespace {

struct folder {
  fs::path path;
  folder() {
    auto name = (fs::temp_directory_path() / "launch-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  [[nodiscard]] fs::path file() const { return path / launch_file_name; }
  void write(std::string const& text) const { std::ofstream(file()) << text; }
};

profiler_options launching(profiler_options o, fs::path const& dir) {
  o.start_profiler_on_app_start = true;
  o.state_dir = dir;
  return o;
}

}  // namespace

TEST_CASE("R18: a launch starts as the one before it drew") {
  folder f;
  auto o = launching(sampled(), f.path);
  o.profile_session_sample_rate = 0.5;
  rig r(o);
  CHECK_FALSE(r->is_running());  // first launch, drew 0.5: not sampled
  r.w.draws = {0.4};
  r.make();
  CHECK_FALSE(r->is_running());
  CHECK(r->start_profiler() == start_result::not_sampled);  // the session is what the last launch drew
  r.w.draws = {0.6};
  r.make();
  CHECK(r->is_running());
  r.w.draws = {0.4};
  r.make();
  CHECK_FALSE(r->is_running());
}

TEST_CASE("R18: all decisions survive the file, and nothing else is left in the folder") {
  folder f;
  for (auto const& d : {launch_decision{false, false}, {false, true}, {true, false}, {true, true}}) {
    CHECK(store_launch(f.path / "made", d).empty());
    CHECK(read_launch(f.path / "made") == d);
  }
  CHECK(std::distance(fs::directory_iterator(f.path / "made"), {}) == 1);
}

TEST_CASE("R18: a damaged or missing file starts nothing, and is replaced") {
  folder f;
  REQUIRE(store_launch(f.path, {true, true}).empty());
  std::string good;
  std::getline(std::ifstream(f.file()), good, '\0');
  std::vector<std::string> damaged = {"",          "\n",       "session=1",           good + "x",
                                      good + good, "\xff\xfe", std::string(5000, 'a')};
  for (std::size_t n = 0; n < good.size(); ++n) damaged.push_back(good.substr(0, n));
  for (auto const& text : damaged) {
    INFO(text);
    f.write(text);
    CHECK_FALSE(read_launch(f.path));
    rig r(launching(sampled(), f.path));
    CHECK_FALSE(r->is_running());
    CHECK(read_launch(f.path) == launch_decision{true, true});
  }
  fs::remove(f.file());
  fs::create_directory(f.file());
  CHECK_FALSE(read_launch(f.path));
}

TEST_CASE("R18: a decision that cannot be written is said, and the launch goes on as stored") {
  folder f;
  auto const blocked = f.path / "file";
  std::ofstream(blocked) << "in the way";
  rig r(launching(sampled(), blocked / "below"));
  CHECK_FALSE(r->is_running());
  REQUIRE(r.w.log.size() == 1);
  CHECK(r.w.log[0].starts_with("the decision for the next launch is not stored: " + blocked.string()));
  CHECK(r->start_profiler() == start_result::started);
}

TEST_CASE("R18: without the flag an old decision is forgotten") {
  folder f;
  REQUIRE(store_launch(f.path, {true, true}).empty());
  auto o = sampled();
  o.state_dir = f.path;
  rig r(o);
  CHECK_FALSE(r->is_running());
  CHECK_FALSE(fs::exists(f.file()));
}

TEST_CASE("R19: the root span of an app start ends with finish_app_start, at the end of its chunk") {
  folder f;
  REQUIRE(store_launch(f.path, {true, true}).empty());
  rig r(launching(traced(), f.path));
  CHECK(r->is_running());
  r.w.run_for(61s);
  CHECK(r->is_running());
  r->finish_app_start();
  r.w.run_for(60s);
  CHECK_FALSE(r->is_running());
}

TEST_CASE("R18: a forked child neither starts by itself nor touches the file") {
  folder f;
  REQUIRE(store_launch(f.path, {true, true}).empty());
  auto o = launching(sampled(), f.path);
  rig r(o);
  fs::remove(f.file());
  r.make(false, true);
  CHECK_FALSE(r->is_running());
  CHECK_FALSE(fs::exists(f.file()));
}
