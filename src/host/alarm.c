/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#define NEVER	INT64_C(0xffffffff)	/* in 2106; no time at all would not hear of the clock */

int alarm_open(void)
{
	const int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int alarm_set(int fd, int64_t at)
{
	const struct itimerspec when = { .it_value.tv_sec = at == 0 ? NEVER : at };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) < 0
		       ? -errno : 0;
}

void alarm_heard(int fd)
{
	uint64_t n;

	/* It fails where the clock was set: that is all that it has to say */
	(void)!read(fd, &n, sizeof(n));
}
