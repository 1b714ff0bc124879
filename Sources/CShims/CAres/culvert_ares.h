// The asynchronous resolver library c-ares, as Debian's libc-ares-dev has it, and eventfd(2), by which its thread is woken.
#ifndef CULVERT_ARES_H
#define CULVERT_ARES_H

#include <ares.h>
#include <sys/eventfd.h>

#endif
