#include "tee/tee.h"
