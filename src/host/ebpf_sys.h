/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ebpf_sys - bpf(2), as far as programs of cgroups need it
 *
 * Owns:	 nothing; descriptors are the caller's to close.
 * Normative:	 bpf(2); include/uapi/linux/bpf.h.
 */
#ifndef HOST_EBPF_SYS_H
#define HOST_EBPF_SYS_H

#include "host/ebpf.h"

#define EBPF_NAME_BYTES	BPF_OBJ_NAME_LEN	/* name of a program or map, with its NUL */
#define EBPF_IDS	64u			/* most programs of one hook of a cgroup */

/**
 * struct ebpf_prog - What ebpf_prog_load() is asked
 * @name:	Name, shorter than EBPF_NAME_BYTES
 * @type:	BPF_PROG_TYPE_...
 * @attach:	Hook
 * @log:	Where the verifier says why it refuses, or NULL
 * @log_len:	Bytes there
 */
struct ebpf_prog {
	const char *name;
	uint32_t type;
	uint32_t attach;
	char *log;
	uint32_t log_len;
};

/** ebpf_prog_load() - Load a finished program; a descriptor or a negative errno */
MUST_USE int ebpf_prog_load(const struct ebpf *e, const struct ebpf_prog *how);

/** ebpf_storage_new() - A map of 16 bytes beside each socket; a descriptor or a negative errno */
MUST_USE int ebpf_storage_new(const char *name);

/** ebpf_map_new() - A map with numbers as keys; a descriptor or a negative errno */
MUST_USE int ebpf_map_new(const char *name, uint32_t type, uint32_t value_len, uint32_t most);

/**
 * ebpf_map_shared() - An array of one value that is memory of this process too
 * @name:	Name
 * @bytes:	Of the value
 * @ret_value:	Set on success: all zero; stays until munmap() of @bytes
 *
 * Return: a descriptor or a negative errno
 */
MUST_USE int ebpf_map_shared(const char *name, uint32_t bytes, void **ret_value);

/** ebpf_map_put() - Set a value; 0 or a negative errno */
MUST_USE int ebpf_map_put(int map, uint32_t key, const void *value);

/** ebpf_link_new() - Attach a program to an interface; a descriptor or a negative errno */
MUST_USE int ebpf_link_new(int prog, uint32_t ifindex, uint32_t attach, uint32_t flags);

/** ebpf_link_update() - Attach another program in its place; 0 or a negative errno */
MUST_USE int ebpf_link_update(int link, int prog);

/**
 * ebpf_attach() - Attach a program to a cgroup, beside those of others
 * @cgroup:	Cgroup
 * @prog:	Program
 * @attach:	Hook
 * @old:	Program that it takes the place of at once, or -1
 *
 * Return: 0 or a negative errno; -EPERM also where a cgroup above does not
 * allow programs below it
 */
MUST_USE int ebpf_attach(int cgroup, int prog, uint32_t attach, int old);

/** ebpf_detach() - Take a program from a cgroup; 0 or a negative errno */
MUST_USE int ebpf_detach(int cgroup, int prog, uint32_t attach);

/**
 * ebpf_find() - The program of a cgroup's hook by its name
 * @cgroup:	Cgroup
 * @attach:	Hook
 * @name:	Name
 *
 * Return: a descriptor, -ENOENT, or another negative errno (-EINVAL: no such
 * hook in this kernel)
 */
MUST_USE int ebpf_find(int cgroup, uint32_t attach, const char *name);

/** ebpf_map_of() - The first map that a program uses; a descriptor or a negative errno */
MUST_USE int ebpf_map_of(int prog);

#endif /* HOST_EBPF_SYS_H */
