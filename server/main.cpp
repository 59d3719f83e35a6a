#include "server/io/cli.hpp"

int main(int argc, char** argv) { return profile_relay::server::run_command_line(argc, argv); }
