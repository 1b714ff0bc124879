#include "culvert_harness.h"
