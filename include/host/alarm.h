/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alarm - a descriptor that is readable at a time of the wall clock
 *
 * And whenever somebody sets that clock: what was yet to come may be over then, and
 * what was over may be to come.
 *
 * Owns:	 nothing; the descriptor is the caller's.
 * Does not:	 read the clock.
 * Normative:	 timerfd_create(2), TFD_TIMER_CANCEL_ON_SET.
 */
#ifndef HOST_ALARM_H
#define HOST_ALARM_H

#include "base/base.h"

/** alarm_open() - A descriptor for it, the caller's to close; or a negative errno */
MUST_USE int alarm_open(void);

/**
 * alarm_set() - From here on it is readable at that time, and when the clock is set
 * @fd:		Of alarm_open()
 * @at:		Seconds since 1970; 0: only when the clock is set
 *
 * Return: 0; -ECANCELED: it is set, and the clock was so too since the last time that
 * this was called; another negative errno
 */
MUST_USE int alarm_set(int fd, int64_t at);

/** alarm_heard() - It is readable no more, until the next time */
void alarm_heard(int fd);

#endif /* HOST_ALARM_H */
