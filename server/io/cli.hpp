#pragma once

namespace profile_relay::server {

/// Parses the command line and runs the subcommand it names. Returns the exit status: 0, 1 for a failure, 2 for a
/// command line that is none. Exceptions end here, in one sentence.
int run_command_line(int argc, char const* const* argv);

}  // namespace profile_relay::server
