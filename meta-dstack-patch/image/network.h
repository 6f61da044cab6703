/* network.h - the image's one network card: brought up, given the address that DHCP says, and kept at it.
 *
 * Floor:  beside the floors: the image's init. Does I/O.
 * Tests:  tests/image/run
 */
#ifndef IMAGE_NETWORK_H
#define IMAGE_NETWORK_H

#include <stdbool.h>

/* Brings up the loopback device. */
void network_open(void);

/* Asks for an address until there is one, and again at half of its lease; never returns but for a fault of this machine.
 * Writes a byte to told at the first address. Name servers are written to /run/resolv.conf. */
void network_keep(int told);

/* Waits for that byte. false: not within seconds. */
bool network_wait(int told, int seconds);

#endif
