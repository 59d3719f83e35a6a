#error "a pure library may not include <sqlite3.h>: sockets, threads, logging and storage belong in server/"
