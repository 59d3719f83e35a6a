#include "tools/trace_device.hpp"

#include <array>
#include <cstdlib>
#include <iostream>

#include "tools/trace_random.hpp"

namespace profile_relay::trace_maker {
namespace {

#define APP_FOLDER "/data/app/~~5o9cq1Y3w2tJxRbA==/io.example.shop-Zr8Wk1uQm0vLp7Hs=="

constexpr std::array<std::string_view, native_modules> native_paths{
    "/apex/com.android.runtime/lib64/bionic/libc.so",
    "/apex/com.android.runtime/lib64/bionic/libm.so",
    "/apex/com.android.art/lib64/libart.so",
    "/apex/com.android.art/lib64/libjavacore.so",
    "/apex/com.android.conscrypt/lib64/libssl.so",
    "/apex/com.android.conscrypt/lib64/libcrypto.so",
    "/system/bin/app_process64",
    "/system/lib64/libandroid_runtime.so",
    "/system/lib64/libbinder.so",
    "/system/lib64/libgui.so",
    "/system/lib64/libhwui.so",
    "/system/lib64/libinput.so",
    "/system/lib64/libminikin.so",
    "/system/lib64/libsqlite.so",
    "/system/lib64/libui.so",
    "/system/lib64/libutils.so",
    "/system/lib64/libz.so",
    "/vendor/lib64/egl/libGLESv2_adreno.so",
    "/vendor/lib64/hw/vulkan.adreno.so",
    APP_FOLDER "/base.apk!libshop.so",
};

constexpr std::array<std::string_view, native_modules> java_paths{
    "/apex/com.android.art/javalib/arm64/boot.oat",
    "/apex/com.android.art/javalib/arm64/boot-core-libart.oat",
    "/apex/com.android.art/javalib/arm64/boot-okhttp.oat",
    "/apex/com.android.art/javalib/core-oj.jar",
    "/system/framework/arm64/boot-framework.oat",
    "/system/framework/arm64/boot-framework-graphics.oat",
    "/system/framework/arm64/boot-telephony-common.oat",
    "/system/framework/arm64/boot-ext.oat",
    "/system/framework/oat/arm64/org.apache.http.legacy.odex",
    "/system/framework/framework.jar",
    APP_FOLDER "/oat/arm64/base.odex",
    APP_FOLDER "/oat/arm64/base.vdex",
    APP_FOLDER "/base.apk",
    APP_FOLDER "/base.apk!classes2.dex",
    APP_FOLDER "/split_config.arm64_v8a.apk",
    "/data/misc/apexdata/com.android.art/dalvik-cache/arm64/boot.vdex",
    "/memfd:jit-cache (deleted)",
    "/memfd:jit-zygote-cache (deleted)",
    "/[anon:dalvik-/apex/com.android.art/javalib/core-oj.jar-transformed]",
    "/[anon:dalvik-classes3.dex extracted in memory from base.apk]",
};

std::string make_build_id(random_stream& random) {
  std::string id;
  for (int i = 0; i < 20; ++i) id += static_cast<char>(random.below(256));
  return id;
}

}  // namespace

std::vector<module> device_modules() {
  random_stream random(0xd41d8cd98f00b204u);  // the device is the same for every seed
  std::vector<module> out;
  std::uint64_t at = 0x71'0000'0000u;
  auto const place = [&](std::string_view path) -> module& {
    auto& m = out.emplace_back();
    m.path = path;
    m.start = at + random.below(0x1000) * 0x1000;
    m.end = m.start + (0x200 + random.below(0x1800)) * 0x1000;
    at += 0x1000'0000u;
    return m;
  };
  for (auto path : native_paths) {
    auto& m = place(path);
    m.build_id = make_build_id(random);
    m.load_bias = random.below(2) * 0x1000;
    m.exact_offset = random.below(0x40) * 0x1000;
    if (path.find('!') != std::string_view::npos) {  // where in the archive the library begins
      m.start_offset = 0x2a'4000;
      m.exact_offset += m.start_offset;
    }
  }
  for (auto path : java_paths) place(path).exact_offset = random.below(0x10) * 0x1000;
  return out;
}

std::uint32_t module_named(std::vector<module> const& modules, std::string_view name) {
  for (std::uint32_t i = 0; i < modules.size(); ++i)
    if (std::string_view(modules[i].path).ends_with(name)) return i;
  std::cerr << "trace maker: no module is named " << name << '\n';
  std::exit(1);
}

}  // namespace profile_relay::trace_maker
