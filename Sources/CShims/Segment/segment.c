#define _GNU_SOURCE
#include "culvert_segment.h"
#include "culvert_atomics.h"
#include "culvert_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

int culvert_memory_file(const char *name, int huge_pages) {
    return memfd_create(name, MFD_CLOEXEC | (huge_pages ? MFD_HUGETLB : 0));
}

int culvert_lock(int file, uint64_t byte) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    return fcntl(file, F_OFD_SETLK, &lock);
}

int culvert_lock_is_held_elsewhere(int file, uint64_t byte) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    return fcntl(file, F_OFD_GETLK, &lock) == -1 ? -1 : lock.l_type != F_UNLCK;
}

int culvert_reserve(int file, uint64_t size) {
    if (ftruncate(file, (off_t)size) == -1) return -1;
    return fallocate(file, 0, 0, (off_t)size);
}

int64_t culvert_allocation_unit(int file) {
    struct statfs status;
    if (fstatfs(file, &status) == -1) return -1;
    return (uint32_t)status.f_type == HUGETLBFS_MAGIC ? (int64_t)status.f_bsize : 4096;
}

void *culvert_map(int file, uint64_t size) {
    void *base = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (base == MAP_FAILED) return 0;
    madvise(base, size, MADV_HUGEPAGE); // tmpfs may follow the advice; the segment works either way
    return base;
}
