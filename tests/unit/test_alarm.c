/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <poll.h>

#include "host/alarm.h"

/* Is it readable within @ms, or at once */
static bool rings(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

TEST(rings_at_its_time)
{
	const int64_t now = (int64_t)time(NULL);
	const int fd = alarm_open();

	if (!CHECK(fd >= 0))
		return;
	CHECK(!rings(fd, 0));
	CHECK_INT(alarm_set(fd, 0), 0);
	CHECK(!rings(fd, 0));
	CHECK_INT(alarm_set(fd, now + 3600), 0);
	CHECK(!rings(fd, 0));
	CHECK_INT(alarm_set(fd, now - 10), 0);
	CHECK(rings(fd, 60000));
	alarm_heard(fd);
	CHECK(!rings(fd, 0));
	alarm_heard(fd);
	CHECK_INT(alarm_set(fd, 1), 0);
	CHECK(rings(fd, 60000));
	CHECK_INT(alarm_set(fd, 0), 0);
	CHECK(!rings(fd, 0));
	close(fd);
	CHECK_INT(alarm_set(fd, 0), -EBADF);
}

/* The machine's clock is nobody's to set here: the kernel says what would wake it */
TEST(hears_of_the_clock)
{
	const int64_t times[] = { 0, (int64_t)time(NULL) + 3600 };
	const int fd = alarm_open();
	char path[64], text[1024];

	if (!CHECK(fd >= 0))
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		FILE *in;
		size_t n;

		CHECK_INT(alarm_set(fd, times[i]), 0);
		in = fopen(path, "r");
		if (!CHECK(in != NULL))
			break;
		n = fread(text, 1, sizeof(text) - 1, in);
		text[n] = '\0';
		fclose(in);
		/* CLOCK_REALTIME; TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET */
		CHECK(strstr(text, "clockid: 0\n") != NULL);
		CHECK(strstr(text, "settime flags: 03\n") != NULL);
	}
	close(fd);
}
