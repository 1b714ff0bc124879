// Telemetry: commands that DPDK's own socket answers, each by a thread of DPDK's.
#ifndef CULVERT_TELEMETRY_H
#define CULVERT_TELEMETRY_H

#include <rte_telemetry.h>
#include <stdint.h>

typedef struct rte_tel_data *culvert_telemetry_data;

static inline int culvert_telemetry_register(
    const char *command, int (*answer)(const char *command, const char *parameters, culvert_telemetry_data data), const char *help) {
    return rte_telemetry_register_cmd(command, answer, help);
}

// An answer is a dictionary of numbers, texts and, one level deep, other dictionaries.
static inline int culvert_telemetry_start(culvert_telemetry_data data) { return rte_tel_data_start_dict(data); }
static inline int culvert_telemetry_number(culvert_telemetry_data data, const char *name, uint64_t value) {
    return rte_tel_data_add_dict_u64(data, name, value);
}
static inline int culvert_telemetry_text(culvert_telemetry_data data, const char *name, const char *value) {
    return rte_tel_data_add_dict_string(data, name, value);
}
static inline culvert_telemetry_data culvert_telemetry_allocate(void) { return rte_tel_data_alloc(); }
static inline void culvert_telemetry_free(culvert_telemetry_data data) { rte_tel_data_free(data); }
// The dictionary is the answer's from here on, and is freed with it.
static inline int culvert_telemetry_dictionary(culvert_telemetry_data data, const char *name, culvert_telemetry_data inner) {
    return rte_tel_data_add_dict_container(data, name, inner, 0);
}

#endif
