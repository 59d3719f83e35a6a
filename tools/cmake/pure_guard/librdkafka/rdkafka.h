#error "a pure library may not include <librdkafka/rdkafka.h>: sockets, threads, logging and storage belong in server/"
