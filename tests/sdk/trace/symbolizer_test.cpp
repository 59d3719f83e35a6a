#include "sdk/trace/symbolizer.hpp"

#include <dlfcn.h>

#include <catch2/catch.hpp>

namespace sdk = profile_relay::sdk;

TEST_CASE("addresses are named, and the cache stays within its bytes") {
  sdk::image_table images;
  sdk::symbolizer symbols(images);
  auto const drand = reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, "drand48"));
  auto const where = symbols.locate(drand);
  REQUIRE(where.image != nullptr);
  CHECK(where.function == "drand48");
  CHECK(where.image_id == images.find(drand)->id);
  CHECK(where.image->path.find("libc.so") != std::string::npos);
  std::size_t most = 0;
  for (std::uintptr_t i = 0; i < 200'000; ++i) {
    static_cast<void>(symbols.locate(where.image->start + i));
    most = std::max(most, symbols.cached_bytes());
  }
  CHECK(most > sdk::symbolizer::max_cached / 2);
  CHECK(most <= sdk::symbolizer::max_cached);
  CHECK(symbols.locate(drand).function == "drand48");
}

TEST_CASE("an address of no image has neither image nor name") {
  sdk::image_table images;
  sdk::symbolizer symbols(images);
  auto const nowhere = symbols.locate(16);
  CHECK(nowhere.image_id == 0);
  CHECK(nowhere.image == nullptr);
  CHECK(nowhere.function.empty());
}

TEST_CASE("after dlclose() nothing of the image is remembered") {
  sdk::image_table images;
  sdk::symbolizer symbols(images);
  auto* const handle = ::dlopen(LOADABLE, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(handle != nullptr);
  auto const address = reinterpret_cast<std::uintptr_t (*)()>(::dlsym(handle, "address_in_loadable"))();
  CHECK(symbols.refresh());
  CHECK(symbols.locate(address).function == "hidden_in_loadable(int)");
  ::dlclose(handle);
  CHECK(symbols.refresh());
  CHECK(symbols.locate(address).function != "hidden_in_loadable(int)");
  CHECK_FALSE(symbols.refresh());
}
