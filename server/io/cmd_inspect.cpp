#include <iostream>

#include "server/io/cmd_files.hpp"
#include "server/io/cmd_inspect_json.hpp"
#include "server/io/inspect_text.hpp"

namespace profile_relay::server {

int cmd_inspect(inspect_arguments const& a) {
  auto const bytes = read_input(a.file);
  if (!bytes) return 1;
  auto const i = inspect_trace(std::as_bytes(std::span(*bytes)));
  if (a.json)
    print_inspection_json(std::cout, i, a.samples);
  else
    print_inspection(std::cout, a.file == "-" ? "standard input" : a.file, i, {a.samples, a.all});
  // What could be counted was shown; a script still has to learn that the server would take none of it.
  return i.refused() ? 1 : 0;
}

}  // namespace profile_relay::server
