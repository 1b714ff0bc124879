#include "culvert_rcu.h"
