#include "culvert_segment.h"
#include "culvert_atomics.h"
