#include <stdio.h>

int main(void)
{
    puts("kettle " KETTLE_VERSION);
    return 0;
}
