#include "overlay/keyring.h"
