// System calls on the segment's file that glibc hides from Swift (they need _GNU_SOURCE). Each returns -1 with errno set
// when it fails.
#ifndef CULVERT_FILE_H
#define CULVERT_FILE_H

#include <stdint.h>

// A file in memory without a name in any file system, closed on exec. `huge_pages`: of the system's default huge page size.
int culvert_memory_file(const char *name, int huge_pages);

// Takes the exclusive lock on one byte of the file for this open file description (fcntl(2), F_OFD_SETLK): released when
// the descriptor is closed or its process ends, however it ends. EAGAIN: another open file description holds it.
int culvert_lock(int file, uint64_t byte);

// 1 when another open file description holds the lock on that byte, 0 when none does. Takes nothing.
int culvert_lock_is_held_elsewhere(int file, uint64_t byte);

// Gives the file exactly `size` bytes and reserves the memory for them now, so that no later access can fail.
int culvert_reserve(int file, uint64_t size);

// The size that the file's length must be a multiple of: the huge page size on hugetlbfs, else 4,096.
int64_t culvert_allocation_unit(int file);

// Maps the file's first `size` bytes shared, for reading and writing, into memory now. NULL when it fails.
void *culvert_map(int file, uint64_t size);

#endif
