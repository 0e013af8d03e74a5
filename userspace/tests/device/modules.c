// SPDX-License-Identifier: MIT
/* Modules of the kernel, and the small files by which the kernel is asked and told. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "modules.h"

bool module_is_loaded(const char *name)
{
	char path[100];

	/* A module that is only half gone has no refcnt any more. */
	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return !access(path, F_OK);
}

static void exec_modprobe(const char *name, const char *options)
{
	char *words = strdup(options);
	char *argv[8] = { "modprobe", (char *)name };
	unsigned int n = 2;

	for (char *word = strtok(words, " "); word && n < 7; word = strtok(NULL, " "))
		argv[n++] = word;
	execvp(argv[0], argv);
	_exit(127);
}

int module_try(const char *name, const char *options)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		exec_modprobe(name, options);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	return status;
}

void module_load(const char *name, const char *options)
{
	int status = module_try(name, options);

	if (status)
		printf("# modprobe %s %s: status %#x\n", name, options, status);
	ASSERT_EQ(0, status);
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

void text_read(const char *path, char *text, unsigned int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		printf("# %s:\n", path);
	ASSERT_LE(0, fd);
	len = read(fd, text, size - 1);
	ASSERT_LE(0, len);
	close(fd);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
}

long long number_read(const char *path)
{
	char text[32];

	text_read(path, text, sizeof(text));
	return atoll(text);
}

int text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len;
	int error;

	if (fd < 0)
		return -1;
	len = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return len < 0 ? -1 : 0;
}

int parameter_write(const char *module, const char *parameter, const char *value)
{
	char path[120];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, parameter);
	return text_write(path, value);
}
