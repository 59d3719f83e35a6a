#error "a pure library may not include <spdlog/spdlog.h>: sockets, threads, logging and storage belong in server/"
