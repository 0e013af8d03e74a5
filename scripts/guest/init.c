// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a guest: sets it up, runs one command, tells the host how it ended.
 *
 * The command's output goes to the host over virtio ports, byte by byte as it was written. The
 * end is told by one line that holds a number only this run knows; a guest that dies on the way
 * can therefore never look like one that succeeded. See main() for the order of things.
 *
 * What to do comes in two files of the initramfs: /etc/untwist/modules, the modules that make the
 * ports appear, and /etc/untwist/job, strings that end in NUL: the number of this run, then
 * "leak-check" or "", then the command and its arguments.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOB_FILE     "/etc/untwist/job"
#define MODULES_FILE "/etc/untwist/modules"
#define STDIN_FILE   "/etc/untwist/stdin"
#define KMEMLEAK     "/sys/kernel/debug/kmemleak"
#define PORTS	     "/sys/class/virtio-ports"

/* kmemleak does not report what is younger than 5 s, since it may just be in somebody's hands. */
#define LEAK_AGE_SECONDS 6

#define ARGS_MAX 1024

struct job {
	const char *nonce;
	int leak_check;
	char **argv;
};

struct stream {
	int from;
	int to;
};

/* Without a verdict the host reports what the console says, so that is where the reason goes. */
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "untwist-init: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* The whole of FILE with a NUL after it, or NULL; *size is told without the NUL. */
static char *read_file(const char *file, size_t *size)
{
	size_t room = 4096, used = 0;
	char *text = malloc(room + 1);
	ssize_t got = -1;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && text && (got = read(fd, text + used, room - used)) > 0) {
		used += got;
		if (used == room)
			text = realloc(text, (room *= 2) + 1);
	}
	if (fd >= 0)
		close(fd);
	if (!text || got < 0) {
		free(text);
		return NULL;
	}
	text[used] = '\0';
	if (size)
		*size = used;
	return text;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		size -= done;
	}
	return 0;
}

static int write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, text, strlen(text));
	close(fd);
	return err;
}

/* What a kernel does not have cannot be mounted; programs that need it will say so. */
static void mount_all(void)
{
	static const struct {
		const char *type, *where, *options;
	} mounts[] = {
		{ "devtmpfs", "/dev", "mode=0755" },
		{ "proc", "/proc", "" },
		{ "sysfs", "/sys", "" },
		{ "tmpfs", "/tmp", "mode=1777" },
		{ "tmpfs", "/run", "mode=0755" },
		{ "devpts", "/dev/pts", "mode=0620,ptmxmode=0666" },
		{ "tmpfs", "/dev/shm", "mode=1777" },
		{ "debugfs", "/sys/kernel/debug", "" },
		{ "tracefs", "/sys/kernel/tracing", "" },
		{ "configfs", "/sys/kernel/config", "" },
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options);
	}
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		die("cannot link the standard streams into /dev");
}

static void load_modules(void)
{
	char *list = read_file(MODULES_FILE, NULL);
	char *file;

	if (!list)
		die("cannot read " MODULES_FILE);
	for (file = strtok(list, "\n"); file; file = strtok(NULL, "\n")) {
		int fd = open(file, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			die("cannot load %s", file);
		close(fd);
	}
	free(list);
}

/* The runner may have the kernel boot on one processor: see there for why. */
static void bring_up_processors(void)
{
	char file[64];

	for (int cpu = 1;; cpu++) {
		snprintf(file, sizeof(file), "/sys/devices/system/cpu/cpu%d/online", cpu);
		if (access(file, F_OK))
			return;
		if (write_file(file, "1"))
			die("cannot bring up processor %d", cpu);
	}
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

/* The file descriptor of the port NAME, or -1 as long as it has not appeared. */
static int try_port(const char *name)
{
	DIR *ports = opendir(PORTS);
	struct dirent *port;
	int fd = -1;

	while (fd < 0 && ports && (port = readdir(ports))) {
		char path[sizeof(PORTS) + sizeof(port->d_name) + 8];
		char *found;

		snprintf(path, sizeof(path), PORTS "/%s/name", port->d_name);
		found = read_file(path, NULL);
		if (found && !strncmp(found, name, strlen(name)) && found[strlen(name)] == '\n') {
			snprintf(path, sizeof(path), "/dev/%s", port->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		free(found);
	}
	if (ports)
		closedir(ports);
	return fd;
}

/* The kernel announces the ports from a work item of its own; the host limits how long we wait. */
static int wait_for_port(const char *name)
{
	int fd;

	while ((fd = try_port(name)) < 0)
		usleep(5000);
	return fd;
}

static struct job read_job(void)
{
	static char *argv[ARGS_MAX + 1];
	struct job job = { .argv = argv };
	size_t size, count = 0;
	char *text = read_file(JOB_FILE, &size);
	char *at;

	if (!text)
		die("cannot read " JOB_FILE);
	job.nonce = text;
	at = text + strlen(text) + 1;
	job.leak_check = !strcmp(at, "leak-check");
	for (at += strlen(at) + 1; at < text + size; at += strlen(at) + 1) {
		if (count == ARGS_MAX)
			die("more than %d arguments", ARGS_MAX);
		argv[count++] = at;
	}
	if (!count)
		die("no command in " JOB_FILE);
	return job;
}

static void run_command(char **argv, int out, int err)
{
	int in = open(STDIN_FILE, O_RDONLY);
	sigset_t none;

	if (in < 0)
		in = open("/dev/null", O_RDONLY);
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	close(in);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static pid_t start_command(char **argv, struct stream *out, struct stream *err)
{
	int out_pipe[2], err_pipe[2];
	pid_t child;

	if (pipe2(out_pipe, O_CLOEXEC) || pipe2(err_pipe, O_CLOEXEC))
		die("cannot make pipes");
	child = fork();
	if (child < 0)
		die("cannot fork");
	if (!child)
		run_command(argv, out_pipe[1], err_pipe[1]);
	close(out_pipe[1]);
	close(err_pipe[1]);
	out->from = out_pipe[0];
	err->from = err_pipe[0];
	return child;
}

/* Pass on what is there to read; tells whether there was anything. */
static int pass_on(struct stream *stream)
{
	static char buffer[65536];
	struct pollfd ready = { .fd = stream->from, .events = POLLIN };
	ssize_t got;

	if (stream->from < 0 || poll(&ready, 1, 0) <= 0)
		return 0;
	got = read(stream->from, buffer, sizeof(buffer));
	if (got > 0)
		return write_all(stream->to, buffer, got) == 0;
	close(stream->from);
	stream->from = -1;
	return 0;
}

static void on_child(int signal)
{
	(void)signal;
}

/* Relay output until the command ends; its children may live on and go on writing. */
static int relay_until_exit(pid_t child, struct stream *out, struct stream *err)
{
	sigset_t during_poll;
	int status;

	sigemptyset(&during_poll);
	for (;;) {
		struct pollfd fds[] = { { .fd = out->from, .events = POLLIN },
					{ .fd = err->from, .events = POLLIN } };
		pid_t ended;

		while ((ended = waitpid(-1, &status, WNOHANG)) > 0 && ended != child)
			;
		if (ended == child)
			break;
		if (ppoll(fds, 2, NULL, &during_poll) > 0) {
			pass_on(out);
			pass_on(err);
		}
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Killed before the last output is passed on, since a left-over writer could keep that going for
 * ever. A process that cannot be killed is a bug, and shows as a guest that hangs.
 */
static void end_all_processes(struct stream *out, struct stream *err)
{
	kill(-1, SIGKILL);
	while (pass_on(out) | pass_on(err))
		;
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* Put the leaks into the kernel log, where the host finds them like any other report. */
static void log_leaks(void)
{
	char *leaks, *line;

	sleep(LEAK_AGE_SECONDS);
	/* What looked lost only because it was being moved is cleared by the second scan. */
	write_file(KMEMLEAK, "scan");
	write_file(KMEMLEAK, "scan");
	leaks = read_file(KMEMLEAK, NULL);
	if (!leaks)
		die("cannot read " KMEMLEAK);
	for (line = strtok(leaks, "\n"); line; line = strtok(NULL, "\n")) {
		char text[512];

		snprintf(text, sizeof(text), "<3>%s\n", line);
		write_file("/dev/kmsg", text);
	}
	free(leaks);
}

static unsigned long long read_number(const char *file)
{
	char *text = read_file(file, NULL);
	unsigned long long number = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return number;
}

/* Lockdep switches itself off at its first report, even one that leaves no other trace. */
static int lockdep_gave_up(void)
{
	char *stats = read_file("/proc/lockdep_stats", NULL);
	char *at = stats ? strstr(stats, "debug_locks:") : NULL;
	int gave_up = at && !strtol(at + strlen("debug_locks:"), NULL, 10);

	free(stats);
	return gave_up;
}

static void prepare(void)
{
	sigset_t blocked;

	umask(022);
	mount_all();
	bring_up_processors();
	load_modules();
	bring_up_loopback();
	sethostname("untwist", 7);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/root", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "dumb", 1);
	if (chdir("/root"))
		die("cannot enter /root");
	signal(SIGCHLD, on_child);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

int main(void)
{
	struct stream out, err;
	struct job job;
	int control, code;

	prepare();
	job = read_job();
	control = wait_for_port("untwist.control");
	out.to = wait_for_port("untwist.stdout");
	err.to = wait_for_port("untwist.stderr");
	if (job.leak_check && write_file(KMEMLEAK, "clear"))
		die("this kernel cannot look for leaks");

	dprintf(control, "ready\n");
	code = relay_until_exit(start_command(job.argv, &out, &err), &out, &err);
	dprintf(control, "ended\n");
	end_all_processes(&out, &err);
	if (job.leak_check)
		log_leaks();

	dprintf(control, "verdict %s code=%d taint=%llu lockdep_gave_up=%d\n", job.nonce, code,
		read_number("/proc/sys/kernel/tainted"), lockdep_gave_up());
	reboot(RB_POWER_OFF);
	return 1;
}
