/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl - kernel settings, and putting them back
 *
 * Turning forwarding on also changes the setting of every interface, and
 * turning it off clears them all.  So a setting is saved together with those
 * that change along, and all of them are put back.
 *
 * Owns:	 nothing.
 * Does not:	 decide which settings are wanted.
 * Threads:	 settings below net/ are those of the calling thread's network
 *		 namespace.
 * Normative:	 Linux Documentation/networking/ip-sysctl.rst.
 */
#ifndef HOST_SYSCTL_H
#define HOST_SYSCTL_H

#include "base/arena.h"

#define SYSCTL_PATH_BYTES	128u	/* longest path, with its NUL */
#define SYSCTL_VALUE_BYTES	64u	/* longest value, with its NUL */

/**
 * struct sysctl - A setting
 * @path:	Below /proc/sys: "net/ipv4/ip_forward"
 * @value:	Its value, without a newline
 */
struct sysctl {
	const char *path;
	const char *value;
};

/** struct sysctls - Settings */
struct sysctls {
	VEC(struct sysctl) list;
};

/**
 * struct sysctl_change - A setting before and after us
 * @path:	Below /proc/sys
 * @was:	What it was
 * @set:	What it is since, by us or by the kernel along with it
 */
struct sysctl_change {
	const char *path;
	const char *was;
	const char *set;
};

/**
 * struct sysctl_saved - A setting that we changed
 * @main:	The setting
 * @along:	Those that the kernel changed along with it
 */
struct sysctl_saved {
	struct sysctl_change main;
	VEC(struct sysctl_change) along;
};

/**
 * struct sysctl_state - The file "sysctl" of the state directory
 * @saved:	What is to be put back one day
 * @journal:	What is being put back right now: a run that was killed left it
 * @is_lost:	An earlier record was lost: what is not in @saved may still
 *		have been changed by us
 */
struct sysctl_state {
	VEC(struct sysctl_saved) saved;
	struct sysctls journal;
	bool is_lost;
};

/**
 * sysctl_read() - A setting's value
 * @path:	Below /proc/sys
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0; -ENOENT when this kernel, or namespace, has none; another
 * negative errno
 */
MUST_USE int sysctl_read(const char *path, struct arena *a, const char **ret);

/**
 * sysctl_write() - Give a setting a value, unless it has it
 * @path:	Below /proc/sys
 * @value:	Value
 *
 * Return: 0; -ENOENT; -EACCES, -EPERM, -EROFS without permission; -EINVAL for
 * a value that the kernel refuses; another negative errno
 */
MUST_USE int sysctl_write(const char *path, const char *value);

/**
 * sysctl_along_read() - The settings that change along with one
 * @path:	The one: "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding";
 *		any other has none
 * @a:		Memory
 * @ret:	Set on success, sorted by nothing
 *
 * Return: 0 or a negative errno
 */
MUST_USE int sysctl_along_read(const char *path, struct arena *a, struct sysctls *ret);

/**
 * sysctl_predict() - What a setting becomes when the one it goes along with is set
 * @path:	The one that goes along, of sysctl_along_read()
 * @value:	What the main one is set to, "0" or "1"
 *
 * Return: its value then
 */
const char *sysctl_predict(const char *path, const char *value);

/**
 * sysctl_put_back() - How to put a setting back
 * @saved:	The setting
 * @now:	Those that go along, as they are now
 * @a:		Memory
 * @ret:	Writes are added, in this order: the setting, then each of @now
 *
 * What somebody else has changed since keeps its value of now; an interface
 * that came since gets what it would have got without us.
 */
void sysctl_put_back(const struct sysctl_saved *saved, const struct sysctls *now,
		     struct arena *a, struct sysctls *ret);

/**
 * sysctl_state_parse() - Read the state file's content
 * @text:	Content
 * @len:	Its length
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or -EBADMSG
 */
MUST_USE int sysctl_state_parse(const char *text, size_t len, struct arena *a,
				struct sysctl_state *ret);

/**
 * sysctl_state_print() - The state file's content
 * @s:		State
 * @ret:	Set to the content on success; the caller's to free()
 * @ret_len:	Set to its length, bytes
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int sysctl_state_print(const struct sysctl_state *s, char **ret, size_t *ret_len);

/** sysctl_saved_find() - What is saved of the setting @path, or NULL */
struct sysctl_saved *sysctl_saved_find(const struct sysctl_state *s, const char *path);

/** sysctl_find() - The value of setting @path in a list, or NULL */
const char *sysctl_find(const struct sysctls *s, const char *path);

/** sysctl_name() - "net.ipv4.ip_forward" for "net/ipv4/ip_forward" */
const char *sysctl_name(const char *path, struct arena *a);

#endif /* HOST_SYSCTL_H */
