// Prints docs/profiler-options.md.
#include <iostream>

#include "sdk/client/option_table.hpp"

int main() {
  std::cout << profile_relay::sdk::option_page();
  return 0;
}
