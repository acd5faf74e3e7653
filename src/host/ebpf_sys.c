/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * bpf(2) itself and no library: eight calls are needed, and a library brings
 * an ELF loader.  One thing is odd: storage beside sockets must say its types in
 * BTF, so 61 bytes of it are written by hand.
 */
#include "host/ebpf_sys.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STORAGE_BYTES	16u

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	const long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int ebpf_prog_load(const struct ebpf *e, const struct ebpf_prog *how)
{
	union bpf_attr attr = {
		.prog_type = how->type,
		.insn_cnt = e->insns.n,
		.insns = pointer(e->insns.v),
		.license = pointer("BSD"),
		.expected_attach_type = how->attach,
	};
	int fd;

	BUG_IF(strlen(how->name) >= sizeof(attr.prog_name));
	memcpy(attr.prog_name, how->name, strlen(how->name));
	fd = bpf(BPF_PROG_LOAD, &attr);
	/* Only a refusal is told at length: a log makes the load slow */
	if (fd < 0 && how->log != NULL) {
		how->log[0] = '\0';
		attr.log_level = 1;
		attr.log_size = how->log_len;
		attr.log_buf = pointer(how->log);
		fd = bpf(BPF_PROG_LOAD, &attr);
	}
	return fd;
}

/* Types: 1 = int of 4 bytes, the key; 2 = int of 16 bytes, the value */
static int storage_btf(void)
{
	static const char names[] = "\0k\0v";
	struct {
		struct btf_header h;
		struct { struct btf_type t; uint32_t bits; } types[2];
		char names[sizeof(names)];
	} blob = {
		.h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(blob.h),
		       .type_len = sizeof(blob.types), .str_off = sizeof(blob.types),
		       .str_len = sizeof(names) },
		.types = {
			{ { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 }, 32 },
			{ { .name_off = 3, .info = BTF_KIND_INT << 24, .size = STORAGE_BYTES },
			  STORAGE_BYTES * 8 },
		},
	};
	union bpf_attr attr = { .btf = pointer(&blob),
				.btf_size = offsetof(__typeof__(blob), names) + sizeof(names) };

	memcpy(blob.names, names, sizeof(names));
	return bpf(BPF_BTF_LOAD, &attr);
}

int ebpf_storage_new(const char *name)
{
	CLEANUP(base_fd_close) int btf = storage_btf();
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SK_STORAGE,
		.key_size = 4,
		.value_size = STORAGE_BYTES,
		.map_flags = BPF_F_NO_PREALLOC,
		.btf_fd = (uint32_t)btf,
		.btf_key_type_id = 1,
		.btf_value_type_id = 2,
	};

	if (btf < 0)
		return btf;
	BUG_IF(strlen(name) >= sizeof(attr.map_name));
	memcpy(attr.map_name, name, strlen(name));
	return bpf(BPF_MAP_CREATE, &attr);
}

int ebpf_map_new(const char *name, uint32_t type, uint32_t value_len, uint32_t most)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = sizeof(uint32_t), .value_size = value_len,
		.max_entries = most,
	};

	BUG_IF(strlen(name) >= sizeof(attr.map_name));
	memcpy(attr.map_name, name, strlen(name));
	return bpf(BPF_MAP_CREATE, &attr);
}

int ebpf_map_shared(const char *name, uint32_t bytes, void **ret_value)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(uint32_t), .value_size = bytes,
		.max_entries = 1, .map_flags = BPF_F_MMAPABLE,
	};
	CLEANUP(base_fd_close) int fd = -1;
	void *value;

	BUG_IF(strlen(name) >= sizeof(attr.map_name));
	memcpy(attr.map_name, name, strlen(name));
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return fd;
	value = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (value == MAP_FAILED)
		return -errno;
	*ret_value = value;
	return base_take_fd(&fd);
}

int ebpf_map_put(int map, uint32_t key, const void *value)
{
	union bpf_attr attr = {
		.map_fd = (uint32_t)map, .key = pointer(&key), .value = pointer(value),
	};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

int ebpf_link_new(int prog, uint32_t ifindex, uint32_t attach, uint32_t flags)
{
	union bpf_attr attr = { .link_create = {
		.prog_fd = (uint32_t)prog, .target_ifindex = ifindex, .attach_type = attach,
		.flags = flags } };

	return bpf(BPF_LINK_CREATE, &attr);
}

int ebpf_link_update(int link, int prog)
{
	union bpf_attr attr = { .link_update = {
		.link_fd = (uint32_t)link, .new_prog_fd = (uint32_t)prog } };

	return bpf(BPF_LINK_UPDATE, &attr);
}

int ebpf_attach(int cgroup, int prog, uint32_t attach, int old)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)prog,
		.attach_type = attach,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (old >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)old;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

int ebpf_detach(int cgroup, int prog, uint32_t attach)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)prog,
		.attach_type = attach,
	};

	return bpf(BPF_PROG_DETACH, &attr);
}

static int info(int fd, struct bpf_prog_info *ret)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(*ret),
					  .info = pointer(ret) } };

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int ebpf_find(int cgroup, uint32_t attach, const char *name)
{
	uint32_t ids[EBPF_IDS] = { 0 };
	union bpf_attr ask = { .query = { .target_fd = (uint32_t)cgroup, .attach_type = attach,
					    .prog_ids = pointer(ids), .prog_cnt = EBPF_IDS } };
	const int err = bpf(BPF_PROG_QUERY, &ask);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < ask.query.prog_cnt; i++) {
		union bpf_attr attr = { .prog_id = ids[i] };
		CLEANUP(base_fd_close) int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		struct bpf_prog_info x = { .nr_map_ids = 0 };

		if (fd >= 0 && info(fd, &x) == 0 &&
		    strncmp(x.name, name, sizeof(x.name)) == 0)
			return base_take_fd(&fd);
	}
	return -ENOENT;
}

int ebpf_map_of(int prog)
{
	uint32_t id = 0;
	struct bpf_prog_info x = { .nr_map_ids = 1, .map_ids = pointer(&id) };
	const int err = info(prog, &x);
	union bpf_attr attr = { .map_id = id };

	if (err < 0)
		return err;
	attr.map_id = id;
	return x.nr_map_ids == 0 ? -ENOENT : bpf(BPF_MAP_GET_FD_BY_ID, &attr);
}
