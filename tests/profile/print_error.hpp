#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "profile/error.hpp"

/// So that a failed check of a result shows what was wrong; the values themselves have no printed form.
template <class T>
struct Catch::StringMaker<profile_relay::profile::result<T>> {
  static std::string convert(profile_relay::profile::result<T> const& r) {
    return r ? "a value" : r.error().cause + ": " + r.error().what;
  }
};
