// Moving and clearing bytes whose number is known at run time only, for the forwarding loop: that loop calls nothing outside of
// this program, and a compiler turns plain loops of this kind into calls of the C library. The statement without instructions in
// each loop keeps it from doing so.
#ifndef CULVERT_MOVE_H
#define CULVERT_MOVE_H

#include <stddef.h>
#include <stdint.h>

#define CULVERT_KEEP_LOOP() __asm__ volatile("" ::: "memory")

// Moves `count` bytes to a higher address, from their end on, so that the places may overlap.
static inline void culvert_move_up(void *to, const void *from, size_t count) {
    uint8_t *target = (uint8_t *)to + count;
    const uint8_t *source = (const uint8_t *)from + count;
    for (; count >= 8; count -= 8) {
        uint64_t word;
        target -= 8;
        source -= 8;
        __builtin_memcpy(&word, source, 8);
        __builtin_memcpy(target, &word, 8);
        CULVERT_KEEP_LOOP();
    }
    for (; count > 0; count--) {
        *--target = *--source;
        CULVERT_KEEP_LOOP();
    }
}

// Writes `count` zeros.
static inline void culvert_clear(void *at, size_t count) {
    for (uint8_t *target = (uint8_t *)at; count > 0; count--) {
        *target++ = 0;
        CULVERT_KEEP_LOOP();
    }
}

#endif
