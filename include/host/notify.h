/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify - tell a service manager how it stands
 *
 * Owns:	 nothing.
 * Does not:	 anything where nobody asked to be told.
 * Normative:	 sd_notify(3): one datagram to $NOTIFY_SOCKET.
 */
#ifndef HOST_NOTIFY_H
#define HOST_NOTIFY_H

#include "base/base.h"

/**
 * notify_send() - Send a state, as "READY=1" or "STATUS=repaired 3 rules"
 * @state:	Lines
 *
 * Return: 0, also when nobody wants to know; a negative errno of the socket
 */
MUST_USE int notify_send(const char *state);

#endif /* HOST_NOTIFY_H */
