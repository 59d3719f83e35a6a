#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Values that a fixed, public hash sends to one and the same place: multiply-xorshift is made of steps that can be undone,
/// so whoever reads it can compute them. Tables that an attacker can fill must not suffer from it.
namespace attack {

/// `count` distinct ASCII strings of 16 bytes whose hash, eight bytes at a time and starting from the length, is one and the same.
std::vector<std::string> colliding_strings(std::size_t count);

/// `v` such that mix(h, v) == wanted.
std::uint64_t unmix(std::uint64_t h, std::uint64_t wanted);

}  // namespace attack
