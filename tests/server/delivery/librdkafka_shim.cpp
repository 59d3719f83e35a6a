#include "tests/server/delivery/librdkafka_shim.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace {

std::mutex mutex;
std::vector<rd_kafka_t*> made, deaf, produced;
int refusals = 0;

template <class F>
F* real(F*, char const* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));  // NOLINT: what dlsym is for
}

}  // namespace

extern "C" rd_kafka_t* rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t* conf, char* words, size_t size) {
  static auto* const next = real(&rd_kafka_new, "rd_kafka_new");
  if (std::scoped_lock lock(mutex); type == RD_KAFKA_PRODUCER && refusals > 0) {
    --refusals;
    std::snprintf(words, size, "no threads left");
    return nullptr;
  }
  auto* const k = next(type, conf, words, size);
  std::scoped_lock lock(mutex);
  if (k && type == RD_KAFKA_PRODUCER) made.push_back(k);
  std::erase(deaf, k);
  return k;
}

extern "C" int rd_kafka_poll(rd_kafka_t* k, int timeout_ms) {
  static auto* const next = real(&rd_kafka_poll, "rd_kafka_poll");
  {
    std::scoped_lock lock(mutex);
    if (std::ranges::find(deaf, k) != deaf.end()) return 0;
  }
  return next(k, timeout_ms);
}

extern "C" rd_kafka_error_t* rd_kafka_produceva(rd_kafka_t* k, rd_kafka_vu_t const* what, size_t count) {
  static auto* const next = real(&rd_kafka_produceva, "rd_kafka_produceva");
  {
    std::scoped_lock lock(mutex);
    produced.push_back(k);
  }
  return next(k, what, count);
}

namespace profile_relay::server {

std::vector<rd_kafka_t*> librdkafka_shim::producers() {
  std::scoped_lock lock(mutex);
  return made;
}

void librdkafka_shim::forget() {
  std::scoped_lock lock(mutex);
  made.clear();
  produced.clear();
}

std::vector<rd_kafka_t*> librdkafka_shim::messages() {
  std::scoped_lock lock(mutex);
  return produced;
}

void librdkafka_shim::refuse(int count) {
  std::scoped_lock lock(mutex);
  refusals = count;
}

void librdkafka_shim::make_deaf(rd_kafka_t* k) {
  std::scoped_lock lock(mutex);
  deaf.push_back(k);
}

}  // namespace profile_relay::server
