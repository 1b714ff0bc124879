// The environment's shims as they are, but for memory: malloc's, of exactly the size that is asked for.
#ifndef CULVERT_FUZZ_EAL_H
#define CULVERT_FUZZ_EAL_H

#define culvert_allocate culvert_allocate_on_node
#define culvert_free culvert_free_on_node
#include "../../../../../Sources/CShims/DPDK/include/culvert_eal.h"
#undef culvert_allocate
#undef culvert_free
#include <stdlib.h>

static inline void *culvert_allocate(size_t size, int socket) {
    void *memory = NULL;
    (void)socket;
    if (posix_memalign(&memory, RTE_CACHE_LINE_SIZE, size)) return NULL;
    return memset(memory, 0, size);
}
static inline void culvert_free(void *memory) { free(memory); }

#endif
