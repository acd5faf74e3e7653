/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <sys/stat.h>

#include "host/netns.h"

TEST(no_namespace)
{
	char fifo[] = "/tmp/sallyport-fifo-XXXXXX";

	CHECK_INT(netns_enter(""), -EINVAL);
	CHECK_INT(netns_enter("."), -EINVAL);
	CHECK_INT(netns_enter(".."), -EINVAL);
	CHECK_INT(netns_enter("sallyport-no-such-namespace"), -ENOENT);
	CHECK_INT(netns_enter("/tmp/sallyport/no/such"), -ENOENT);
	CHECK_INT(netns_enter("/etc/passwd"), -EINVAL);
	CHECK_INT(netns_enter("/tmp"), -EINVAL);
	close(mkstemp(fifo));
	unlink(fifo);
	if (CHECK_INT(mkfifo(fifo, 0600), 0)) {
		CHECK_INT(netns_enter(fifo), -EINVAL);
		unlink(fifo);
	}
}

TEST(long_name)
{
	char name[5000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(netns_enter(name), -ENAMETOOLONG);
}

TEST(there_and_back)
{
	uint64_t one = 0, two = 0, now = 0;
	char path[64];
	int fd;

	NS_FRESH();
	CHECK_INT(netns_cookie(&one), 0);
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	NS_FRESH();
	CHECK_INT(netns_cookie(&two), 0);
	CHECK(one != two);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_INT(netns_enter(path), 0);
	CHECK_INT(netns_cookie(&now), 0);
	CHECK(now == one);
	close(fd);
}
