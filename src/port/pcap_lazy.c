/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libpcap brings nine other libraries (D-Bus, systemd, gcrypt, ...), and loading
 * them was half of what a run of the program costs that does nothing (updown-exec in
 * bench_updown: 1.5 ms with them, 0.8 without).  Two verbs take packets by it, and
 * hooks call the others at each start of a jail.  So its functions stand here under
 * their own names, and the library is loaded by the first that is called: that is
 * pcap_create(), which can say that there is none, or bpf_image().
 *
 * All are looked up at once, so that a process that shuts itself in afterwards has
 * them.
 */
#include <dlfcn.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define LIBRARY		"libpcap.so.0.8"
#define LIBRARY_1	"libpcap.so.1"	/* its name where it is not Debian's */

/* Result, name, parameters, arguments */
#define PCAP_CALLS(X) \
	X(char *, bpf_image, (const struct bpf_insn *i, int n), (i, n)) \
	X(int, pcap_activate, (pcap_t *p), (p)) \
	X(void, pcap_breakloop, (pcap_t *p), (p)) \
	X(void, pcap_close, (pcap_t *p), (p)) \
	X(int, pcap_datalink, (pcap_t *p), (p)) \
	X(int, pcap_dispatch, (pcap_t *p, int n, pcap_handler fn, u_char *arg), (p, n, fn, arg)) \
	X(void, pcap_dump, (u_char *d, const struct pcap_pkthdr *h, const u_char *b), (d, h, b)) \
	X(void, pcap_dump_close, (pcap_dumper_t *d), (d)) \
	X(pcap_dumper_t *, pcap_dump_open, (pcap_t *p, const char *name), (p, name)) \
	X(int, pcap_get_selectable_fd, (pcap_t *p), (p)) \
	X(char *, pcap_geterr, (pcap_t *p), (p)) \
	X(int, pcap_inject, (pcap_t *p, const void *b, size_t len), (p, b, len)) \
	X(int, pcap_set_buffer_size, (pcap_t *p, int bytes), (p, bytes)) \
	X(int, pcap_set_immediate_mode, (pcap_t *p, int is_on), (p, is_on)) \
	X(int, pcap_set_snaplen, (pcap_t *p, int bytes), (p, bytes)) \
	X(int, pcap_set_timeout, (pcap_t *p, int ms), (p, ms)) \
	X(int, pcap_setdirection, (pcap_t *p, pcap_direction_t d), (p, d)) \
	X(int, pcap_setnonblock, (pcap_t *p, int is_on, char *error), (p, is_on, error))

#define FIELD(type, name, params, args) type (*name) params;

static struct {
	pcap_t *(*create)(const char *source, char *error);
	PCAP_CALLS(FIELD)
} lib;

/* ISO C has no cast from an object's to a function's address; POSIX has */
static bool find(void *library, const char *name, void *ret)
{
	void *at = dlsym(library, name);

	memcpy(ret, &at, sizeof(at));
	return at != NULL;
}

#define FIND(type, name, params, args) found &= find(so, #name, &lib.name);

/* The library's reason why it is not there, or NULL */
static const char *load(void)
{
	void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool found;

	if (so == NULL)
		so = dlopen(LIBRARY_1, RTLD_NOW | RTLD_LOCAL);
	if (so == NULL)
		return dlerror();
	found = find(so, "pcap_create", &lib.create);
	PCAP_CALLS(FIND)
	if (found)
		return NULL;
	lib.create = NULL;
	dlclose(so);
	return "it lacks functions that are used here";
}

/* For those that have no way to say that there is none */
static void need(void)
{
	const char *why = lib.create == NULL ? load() : NULL;

	if (why == NULL)
		return;
	fprintf(stderr, "sallyport: libpcap is needed: %s\n", why);
	exit(EX_OSERR);
}

pcap_t *pcap_create(const char *source, char *error)
{
	const char *why = lib.create == NULL ? load() : NULL;

	if (lib.create != NULL)
		return lib.create(source, error);
	snprintf(error, PCAP_ERRBUF_SIZE, "libpcap is needed: %s", why != NULL ? why : "");
	return NULL;
}

#define CALL(type, name, params, args) \
	type name params \
	{ \
		need(); \
		return lib.name args; \
	}

PCAP_CALLS(CALL)
