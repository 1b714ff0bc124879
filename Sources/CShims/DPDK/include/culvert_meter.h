// Meters: the two rate three colour marker (RFC 2698) of rte_meter, colour-blind.
#ifndef CULVERT_METER_H
#define CULVERT_METER_H

#include <rte_meter.h>
#include <stdint.h>

// What lies in a session's feature line (culvert_features.meter): time of both buckets' last update, octets in both.
_Static_assert(sizeof(struct rte_meter_trtcm) == 4 * sizeof(uint64_t), "a meter's state fills culvert_features.meter");

// Fills in a profile. Rates in octets a second, bursts in octets. Returns 0, or a negative error when the library refuses them.
// It multiplies a rate by up to 100 and takes the product for 64 bits: the caller has bounded the rates.
static inline int culvert_meter_configure(
    struct rte_meter_trtcm_profile *profile, uint64_t committed_rate, uint64_t peak_rate, uint64_t committed_burst, uint64_t peak_burst) {
    struct rte_meter_trtcm_params parameters = {.cir = committed_rate, .pir = peak_rate, .cbs = committed_burst, .pbs = peak_burst};
    return rte_meter_trtcm_profile_config(profile, &parameters);
}

// Meters a packet of `length` octets at `time`, in TSC cycles. Returns 1 when it is red, 0 when it is green or yellow.
// Both periods of the profile are not 0.
static inline int culvert_meter_is_red(
    uint64_t *state, struct rte_meter_trtcm_profile *profile, uint64_t time, uint32_t length) {
    return rte_meter_trtcm_color_blind_check((struct rte_meter_trtcm *)(void *)state, profile, time, length) == RTE_COLOR_RED;
}

#endif
