#error "a pure library may not include <spdlog/common.h>: sockets, threads, logging and storage belong in server/"
