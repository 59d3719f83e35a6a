#include "profile/mapping_rules.hpp"

#include <catch2/catch.hpp>

#include "converted.hpp"

using namespace profile_relay;
using namespace profile_relay::profile;
using nlohmann::json;

TEST_CASE("frame platforms, row by row") {
  using perfetto_decode::frame_kind;
  struct row {
    int number;
    const char* mapping;  ///< null = a frame without a mapping
    const char* build_id;
    const char* function;
    frame_kind kind;
    bool of_runtime;
    const char* platform;  ///< "" = unset
    bool address;
  };
  const auto plain = frame_kind::native;
  for (const auto& r : {
           row{1, "/kernel", "", "do_syscall_64", plain, false, "native", false},
           row{1, "/system/lib64/libc.so", "id", "schedule", frame_kind::kernel, false, "native", false},
           row{1, "/kernel", "", "", plain, false, "native", false},
           row{2, "/data/app/base.odex", "", "", plain, false, "native", true},
           row{2, "", "", "", plain, false, "native", true},
           row{3, nullptr, "", "render", plain, true, "", false},
           row{3, "", "", "render", frame_kind::interpreted, true, "", false},
           row{4, nullptr, "", "ERROR INVALID_MAP", plain, false, "native", false},
           row{4, "", "", "f", plain, false, "native", false},
           row{5, "/memfd:jit-cache (deleted)", "", "a.b.C.f", plain, false, "java", false},
           row{5, "/memfd:jit-zygote-cache (deleted)", "", "a.b.C.f", plain, false, "java", false},
           row{5, "/memfd:jit-cache", "", "a.b.C.f", plain, true, "java", false},
           row{5, "/[anon_shmem:dalvik-jit-code-cache]", "", "a.b.C.f", plain, false, "java", false},
           row{5, "/dev/ashmem/dalvik-jit-code-cache (deleted)", "", "a.b.C.f", plain, false, "java", false},
           row{6, "/apex/com.android.art/lib64/libart.so", "id", "art_quick", plain, false, "native", true},
           row{6, "/data/app/x/base.apk!libfoo.so", "id", "f", plain, false, "native", true},
           row{6, "/usr/lib/libc.so.6", "id", "f", plain, false, "native", true},
           row{7, "/data/app/x/base.apk", "id", "f", plain, false, "native", true},
           row{7, "/system/framework/x.jar", "id", "f", plain, false, "native", true},
           row{8, "/data/app/x/base.apk", "", "a.b.C.f", plain, false, "java", false},
           row{8, "/data/app/x/base.apk!classes2.dex", "", "a.b.C.f", plain, false, "java", false},
           row{8, "/data/app/x/oat/arm64/base.vdex", "", "a.b.C.f", plain, false, "java", false},
           row{8, "/data/app/x/oat/arm64/base.odex", "id", "a.b.C.f", plain, false, "java", false},
           row{8, "/system/framework/arm64/boot-framework.oat", "id", "a.b.C.f", plain, false, "java", false},
           row{8, "/[anon:dalvik-/apex/com.android.art/javalib/core-oj.jar-transformed]", "",
               "java.lang.Thread.run", plain, false, "java", false},
           row{9, "/system/bin/app_process64", "id", "main", plain, false, "native", true},
           row{9, "/system/framework/arm64/boot.art", "", "f", plain, false, "native", true},
           row{9, "/[vdso]", "", "f", plain, false, "native", true},
           row{9, "/data/dex/archive", "", "f", plain, false, "native", true},
       }) {
    INFO("row " << r.number << ": " << (r.mapping ? r.mapping : "no mapping"));
    trace_builder b;
    const auto mapping = r.mapping ? b.mapping(r.mapping, r.build_id) : perfetto_decode::none;
    const auto frame = b.frame(r.function, mapping, 0x10);
    b.trace.frames[frame].kind = r.kind;
    b.trace.frames[frame].of_runtime = r.of_runtime;
    const auto out = frames_of(b, {frame})[0];
    CHECK(out.value("platform", "") == r.platform);
    CHECK(out.contains("instruction_addr") == r.address);
  }
}

TEST_CASE("java names are split at the last dot before a parenthesis") {
  struct row {
    const char *name, *module, *function;
  };
  for (const auto& r : {
           row{"android.view.View.draw", "android.view.View", "draw"},
           row{"a.b", "a", "b"},
           row{"com.shop.Cart.<init>", "com.shop.Cart", "<init>"},
           row{"com.shop.Cart$1.run", "com.shop.Cart$1", "run"},
           row{"com.shop.Cart.add(java.lang.String)", "com.shop.Cart", "add(java.lang.String)"},
           row{"main", "", "main"},
           row{"add(java.lang.String)", "", "add(java.lang.String)"},
           row{".run", "", ".run"},
           row{"com.shop.", "", "com.shop."},
           row{"com.(x)", "", "com.(x)"},
           row{".", "", "."},
       }) {
    INFO(r.name);
    trace_builder b;
    const auto out = frames_of(b, {b.frame(r.name, b.mapping("/data/app/base.odex"))})[0];
    CHECK(out.value("module", "") == r.module);
    CHECK(out["function"] == r.function);
    CHECK(out["package"] == "data/app/base.odex");
  }
}

TEST_CASE("native names stay whole") {
  trace_builder b;
  const auto out = frames_of(b, {b.frame("std::io::Write.flush", b.mapping("/data/app/libshop.so"))})[0];
  CHECK(out["function"] == "std::io::Write.flush");
  CHECK_FALSE(out.contains("module"));
}

TEST_CASE("in_app by mapping, on platforms that need it") {
  struct row {
    const char* mapping;
    bool in_app;
  };
  for (const auto& r : {
           row{"/opt/shop/bin/shop", true},
           row{"/srv/shop/libshop.so", true},
           row{"srv/shop/libshop.so", true},
           row{"/home/user/lib/libshop.so", true},
           row{"/usr/bin/shopd", true},  // the main binary
           row{"/usr/bin/other", false},
           row{"/usr/lib/libc.so.6", false},
           row{"/lib/x86_64-linux-gnu/libc.so.6", false},
           row{"/lib64/ld-linux.so", false},
           row{"lib64/ld-linux.so", false},
           row{"/system/lib64/libc.so", false},
           row{"/vendor/lib64/libgpu.so", false},
           row{"/apex/com.android.art/lib64/libart.so", false},
           row{"/library/libshop.so", true},
           row{"/[vdso]", false},
           row{"[vdso]", false},
           row{"/[stack]", false},
           row{"/kernel", false},
           row{"", false},
       }) {
    INFO(r.mapping);
    trace_builder b;
    const auto frame = b.frame("f", b.mapping(r.mapping));
    b.sample(0, b.stack({frame}), b.task(7, 7));
    b.trace.tasks[0].executable = "/usr/bin/shopd";
    CHECK(converted(b, "native").frames()[0]["in_app"] == r.in_app);
    CHECK_FALSE(converted(b, "android").frames()[0].contains("in_app"));
  }
}

TEST_CASE("a main binary counts for every process that was sampled, and only for those") {
  trace_builder b;
  const auto frame = b.frame("f", b.mapping("/usr/bin/shopd"));
  const auto idle = b.stack({frame});
  b.sample(0, idle, b.task(7, 7));
  b.task(8, 8);
  b.trace.tasks[0].executable = "/usr/bin/bash";
  b.trace.tasks[1].executable = "/usr/bin/shopd";
  CHECK(converted(b, "native").frames()[0]["in_app"] == false);
  b.sample(1, idle, 1);
  CHECK(converted(b, "native").frames()[0]["in_app"] == true);
}

TEST_CASE("a frame without a mapping is nobody's app") {
  trace_builder b;
  CHECK(frames_of(b, {b.frame("f")}, "native")[0]["in_app"] == false);
}
